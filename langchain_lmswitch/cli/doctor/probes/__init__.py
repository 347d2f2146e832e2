"""What the doctor looks at: each probe gathers facts, decides nothing and changes nothing."""
