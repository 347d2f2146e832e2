"""What the doctor makes of it: pure functions from facts to findings."""
