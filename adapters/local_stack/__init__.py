"""Everything that Slotkeeper needs on a developer's machine, started by one command.

No production process imports it: the programs that it starts come with the extra `local`.
"""
