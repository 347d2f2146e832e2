"""Pure context fitting: which messages the model gets to see."""
