"""All scenarios by name, as `python -m tests.faults` takes them.

A scenario is a module with `FULL`, its whole size, and `async def run(size) -> list[Row]`. A size
is a frozen msgspec struct; `--scale` shrinks the fields that its `SCALES` names, to 1 at least.
"""

from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any, ClassVar

import msgspec

from tests.faults.row import Row

SCENARIOS = {
    "races": "tests.faults.races",
    "clocks": "tests.faults.clocks",
    "kills": "tests.faults.kills",
    "database_outage": "tests.faults.database_outage",
    "temporal_outage": "tests.faults.temporal_outage",
    "calendly_outage": "tests.faults.moved.outage",
    "dropped_answers": "tests.faults.moved.dropped_answers",
    "in_use": "tests.faults.moved.in_use",
    "wrong-app": "tests.faults.wrong_app",
    "mass-refusal": "tests.faults.mass_refusal",
    "frozen": "tests.faults.frozen",
    "healing": "tests.faults.healing",
    "webhook_duplicates": "tests.faults.webhook_duplicates",
    "webhook_kills": "tests.faults.webhook_kills",
    "webhooks_without_temporal": "tests.faults.webhooks_without_temporal",
    "hostile_traffic": "tests.faults.hostile_traffic",
    "starve": "tests.faults.starve",
    "silent-database": "tests.faults.silent_database",
    "slow-heads": "tests.faults.slow_heads",
    "fuzzing": "tests.faults.fuzzing",
    "endless-account": "tests.faults.endless_account",
    "lag": "tests.faults.lag",
    "previous-version": "tests.faults.previous_version",
}


class Size(msgspec.Struct, frozen=True):
    """How large a scenario is; each scenario has its own fields."""

    SCALES: ClassVar[tuple[str, ...]] = ()


def scaled(size: Any, factor: float) -> Any:
    """Return the size with the fields that scale multiplied by the factor."""
    shrunk = {
        name: type(value)(max(1, value * factor))
        for name in type(size).SCALES
        if (value := getattr(size, name)) is not None
    }
    return msgspec.structs.replace(size, **shrunk)


async def run(name: str, factor: float = 1.0) -> list[Row]:
    """Run a scenario at its full size times the factor."""
    module = import_module(SCENARIOS[name])
    scenario: Callable[[Any], Awaitable[list[Row] | Row]] = module.run
    rows = await scenario(scaled(module.FULL, factor))
    return [rows] if isinstance(rows, Row) else rows
