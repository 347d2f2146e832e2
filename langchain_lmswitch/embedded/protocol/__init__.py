"""LM Studio's websocket protocol as pure functions: no sockets, no clock, no event loop."""
