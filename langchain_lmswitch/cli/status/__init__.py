"""`lmswitch status`: the host, what it holds in memory, and what happened lately."""
