"""Reads that need one statement and no unit of work."""
