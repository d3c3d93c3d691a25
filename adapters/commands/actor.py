"""The person that runs a command, for the audit trail."""

import getpass
import socket

from domain.audit import Actor


def command_line_actor() -> Actor:
    """Return the user of this machine that runs the command, and the machine's name."""
    return Actor(f"cli:{getpass.getuser()}@{socket.gethostname()}")
