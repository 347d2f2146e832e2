"""Fitted conversations for any chat model: a LangGraph node, an agent middleware, and stores."""
