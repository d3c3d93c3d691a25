"""How fast the sync fills caches, against a loop that does nothing else than call."""
