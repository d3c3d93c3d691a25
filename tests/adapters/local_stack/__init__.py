"""The local stack starts with one command, and no process of it is left."""
