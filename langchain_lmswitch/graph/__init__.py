"""The router as a LangGraph graph."""
