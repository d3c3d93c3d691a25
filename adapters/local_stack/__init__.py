"""Everything Slotkeeper needs beside it on a developer's machine, started by one command.

Nothing here is imported by a production process: the `local` extra brings what it starts.
"""
