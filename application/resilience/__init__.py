"""Keeping calls safe: circuit breakers, retries, shielding, group commit, rate limits."""
