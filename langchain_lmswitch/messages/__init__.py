"""Pure translation between LangChain's messages and LM Studio's."""
