"""The environment that programs of the stack inherit from the shell it was started in.

Variables of the shell that would change what they connect to or do are left out: a stack
must not reach for a developer's production database or Temporal.
"""

import os

_LEFT_OUT = ("PG", "TEMPORAL_", "CALENDLY_", "DATABASE_URL", "POSTGRES_")


def plain_environment() -> dict[str, str]:
    """The environment of this process, without what would point a program elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_LEFT_OUT)}
