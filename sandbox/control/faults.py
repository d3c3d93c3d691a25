"""Fault rules: list, add, lift."""

from typing import Any

from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from sandbox.control.errors import ControlError
from sandbox.faults.rules import FaultRule
from sandbox.world import World


@get("/_control/faults")
async def list_faults(world: NamedDependency[World]) -> dict[str, Any]:
    """The rules in force with how often each struck."""
    return {"faults": world.faults.rules}


@post("/_control/faults")
async def add_fault(world: NamedDependency[World], data: JSONBody[FaultRule]) -> FaultRule:
    """Add a rule behind the others."""
    if not 0 <= data.share <= 1:
        raise ControlError("share must be between 0 and 1")
    world.faults.rules.append(data)
    return data


@delete("/_control/faults", status_code=200)
async def clear_faults(world: NamedDependency[World]) -> dict[str, int]:
    """Lift every rule."""
    lifted = len(world.faults.rules)
    world.faults.rules.clear()
    return {"lifted": lifted}


@delete("/_control/faults/{key:str}", status_code=200)
async def lift_fault(world: NamedDependency[World], key: FromPath[str]) -> dict[str, int]:
    """Lift one rule."""
    kept = [rule for rule in world.faults.rules if rule.id != key]
    if len(kept) == len(world.faults.rules):
        raise ControlError("no such fault", 404)
    world.faults.rules[:] = kept
    return {"lifted": 1}
