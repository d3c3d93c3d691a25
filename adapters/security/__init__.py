"""Cryptography at rest: the key ring and the vault that seals with it."""
