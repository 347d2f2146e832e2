"""`lmswitch bench`: what is measured, by commands that anybody can run again."""
