"""`lmswitch learn`: what answers have taught."""
