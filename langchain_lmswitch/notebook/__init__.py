"""Pictures of what has happened, and a live view of what happens."""
