"""`lmswitch chat`: a conversation in which every message goes to the model that suits it."""
