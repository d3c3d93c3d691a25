"""The time in statements: PostgreSQL's clock, never the caller's.

A statement takes two times from its caller: the caller's reading of its own clock, and a deadline
by the same clock. Only the distance between both counts. The statement adds that distance to
PostgreSQL's time. So two hosts' clocks are never compared.
"""

# In a session with this setting, the caller's reading counts as PostgreSQL's time. Tests move
# hours with it. The service never sets it.
CALLERS_CLOCK = {"slotkeeper.clock": "caller"}
DATABASE_CLOCK = {"slotkeeper.clock": "database"}


def database_now(caller: str) -> str:
    """Return SQL for the moment of the statement, evaluated once for all rows.

    Args:
        caller: the parameter with the caller's reading (`$2`).

    """
    return f"(SELECT slotkeeper_now({caller}::timestamptz))"


def indexable_now(caller: str) -> str:
    """Return SQL for the moment that the planner can estimate: for the column of an index."""
    return f"slotkeeper_now({caller}::timestamptz)"


def database_time(moment: str, caller: str) -> str:
    """Return SQL for a moment of the caller's clock, by PostgreSQL's clock.

    Args:
        moment: the parameter with the moment.
        caller: the parameter with the caller's reading.

    """
    return f"({database_now(caller)} + ({moment}::timestamptz - {caller}::timestamptz))"
