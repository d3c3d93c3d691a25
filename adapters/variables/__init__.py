"""Reading typed values out of environment variables.

Pure: what is read comes in as a mapping; only `NAME_FILE` variables touch the file system.
"""
