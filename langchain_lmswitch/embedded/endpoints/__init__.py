"""What a client can ask for: one module for each namespace of the protocol."""
