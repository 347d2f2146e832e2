"""A headless host that speaks LM Studio's protocol, on llama.cpp."""
