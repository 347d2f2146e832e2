"""What this machine has seen: loads and decisions, kept from one process to the next."""
