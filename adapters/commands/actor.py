"""The audit trail of commands, and the person that runs one."""

import getpass
import socket

from adapters.system.clock import SystemClock
from adapters.system.randomness import SystemRandomness
from application.ports.storage.unit_of_work import Storage
from application.security.audit_trail import AuditTrail
from domain.audit import Actor


def audit_trail(storage: Storage) -> AuditTrail:
    """Return the audit trail of a command that uses only the database."""
    return AuditTrail(storage=storage, clock=SystemClock(), randomness=SystemRandomness())


def command_line_actor() -> Actor:
    """Return the user of this machine that runs the command, and the machine's name."""
    return Actor(f"cli:{getpass.getuser()}@{socket.gethostname()}")
