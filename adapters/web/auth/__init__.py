"""Who calls: API keys, operators, browsers."""
