"""ASGI middleware, in the order in which requests pass it."""
