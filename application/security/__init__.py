"""API keys, hashing, and the rotation of encryption keys."""
