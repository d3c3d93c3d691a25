"""Parameters of requests: how each is read and checked."""
