"""The environment that the programs of a stack inherit from the developer's shell.

Variables that name servers or accounts are left out: a stack must not connect to a production
database or Temporal.
"""

import os

_LEFT_OUT = ("PG", "TEMPORAL_", "CALENDLY_", "DATABASE_URL", "POSTGRES_")


def plain_environment() -> dict[str, str]:
    """The environment of this process, without such variables."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_LEFT_OUT)}
