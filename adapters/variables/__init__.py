"""Reads typed values from environment variables.

The environment is passed in as a mapping; only `NAME_FILE` variables read the file system.
"""
