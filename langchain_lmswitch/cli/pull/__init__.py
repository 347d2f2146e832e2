"""`lmswitch pull`: weights from LM Studio's repository, the Hugging Face Hub or a package index."""
