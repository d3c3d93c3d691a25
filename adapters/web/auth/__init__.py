"""Authentication: API keys, operators, browsers."""
