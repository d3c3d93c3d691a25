"""Everything that Slotkeeper needs on a developer's machine, started by one command.

No production process imports it. It is part of the distribution `slotkeeper-sandbox`, and the
programs that it starts come with that distribution's extra `local`.
"""
