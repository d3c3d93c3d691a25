"""`kill -9` of the worker while a refresh has stopped at each of its steps.

A grant that Calendly still honours has to stay usable. The next run of the job has to find each
grant that is truly lost, and to label it. No other user may be asked to connect again.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

import msgspec

from tests.faults import accounts
from tests.faults.accounts import Connected, Verdict
from tests.faults.processes import holds
from tests.faults.processes.opened import CLOCK_AHEAD
from tests.faults.rig import Rig, eventually, open_rig
from tests.faults.row import Row
from tests.faults.scenarios import Size

IN_FLIGHT = "in flight"
# The worker stops at these by itself; in flight, Calendly does not answer.
HELD = (
    holds.CLAIMED,
    holds.RECORDED,
    holds.PROCESSED,
    holds.ANSWERED,
    holds.WRITTEN,
    holds.COMMITTED,
)
LOST_AT = (holds.PROCESSED, holds.ANSWERED, holds.WRITTEN)
LABEL = "refresh_outcome_lost"
LEASE, LATER = timedelta(minutes=30), timedelta(minutes=40)


class KillSize(Size, frozen=True):
    """So many refreshes at each of the seven steps; each kill strikes `at_once` a step."""

    SCALES: ClassVar[tuple[str, ...]] = ("a_step",)
    a_step: int
    at_once: int = 10


FULL = KillSize(a_step=500)
SMALL = KillSize(a_step=4, at_once=4)


class Stricken(msgspec.Struct, frozen=True):
    """The step that each refresh had reached when its worker was killed, and the kills needed."""

    steps: dict[str, str]
    kills: int


async def run(size: KillSize) -> list[Row]:
    """Kill workers until so many refreshes were struck at each step, then run the job once."""
    count = size.a_step * (len(HELD) + 1)
    options = {"REFRESH_LEASE": f"{LEASE.seconds}s", "REFRESH_RATE": "0"}
    async with open_rig(users=count, settings=options) as rig:
        connected = await accounts.connect(
            rig, count, expires_in=timedelta(minutes=30), apart=timedelta(milliseconds=100)
        )
        stricken = await _strike(rig, connected, size.at_once)
        before = await accounts.verdicts(rig, connected)
        await _run_the_job(rig)
        after = await accounts.verdicts(rig, connected)
    return [_row(size, stricken, before, after)]


async def _strike(rig: Rig, connected: Sequence[Connected], at_once: int) -> Stricken:
    """Kill a worker over every page of due integrations; they come in the order of expiry."""
    held = connected[: len(connected) * len(HELD) // (len(HELD) + 1)]
    steps: dict[str, str] = {}
    kills = 0
    for page in _pages(held, at_once * len(HELD)):
        plan = {str(each.id): HELD[n % len(HELD)] for n, each in enumerate(page)}
        steps |= await _kill_held(rig, plan)
        kills += 1
    for page in _pages(connected[len(held) :], at_once):
        await _kill_in_flight(rig, len(page))
        steps |= {str(each.id): IN_FLIGHT for each in page}
        kills += 1
    return Stricken(steps, kills)


async def _kill_held(rig: Rig, plan: dict[str, str]) -> dict[str, str]:
    file = rig.folder / "plan.json"
    file.write_bytes(msgspec.json.encode(plan))
    worker = rig.run("tests.faults.processes.doomed", str(file), **_page_of(len(plan)))
    await worker.says(len(plan))
    await worker.kill()
    return plan


async def _kill_in_flight(rig: Rig, count: int) -> None:
    await rig.calendly.fault(path="/oauth/token", kind="hang")
    file = rig.folder / "plan.json"
    file.write_text("{}")
    worker = rig.run("tests.faults.processes.doomed", str(file), **_page_of(count))

    async def all_arrived() -> bool:
        return await rig.calendly.struck() >= count

    # Shorter than the request's own time-out.
    if not await eventually(all_arrived, within=60):
        raise TimeoutError(f"no {count} requests arrived; see {worker.out}.log")
    await worker.kill()
    await rig.calendly.heal()


async def _run_the_job(rig: Rig) -> None:
    """Let the leases of the dead expire, and run the job once."""
    ahead = LATER.total_seconds()
    await rig.calendly.control("POST", "/clock", move_seconds=ahead)
    await rig.run("tests.faults.processes.job", **{CLOCK_AHEAD: str(ahead)}).done(within=600)


def _row(
    size: KillSize, stricken: Stricken, before: Sequence[Verdict], after: Sequence[Verdict]
) -> Row:
    lost = {each.id for each in before if each.lost}
    expected = {v.id for v in before if stricken.steps[str(v.id)] in LOST_AT}
    labelled = sum(each.labelled == LABEL for each in after if each.id in lost)
    false = Counter(each.labelled for each in after if each.id not in lost and each.labelled)
    usable = sum(each.kept for each in after if each.id not in lost)
    return Row(
        what=f"`kill -9` of the worker at each of 7 steps of {size.a_step} refreshes",
        must="every grant that the sandbox still honours stays usable; each truly lost one is "
        "found and labelled within one job run; 0 false `reauth_required`",
        seen=f"{stricken.kills} kills; {usable} of {len(before) - len(lost)} honoured grants "
        f"usable; {labelled} of {len(lost)} lost ones labelled; {false.total()} false",
        # That the kills struck where they should have is part of it.
        holds=lost == expected
        and labelled == len(lost)
        and usable == len(before) - len(lost)
        and not false,
    )


def _page_of(count: int) -> dict[str, str]:
    return {"PAGE_SIZE": str(count), "CONCURRENCY": str(count)}


def _pages(connected: Sequence[Connected], size: int) -> list[Sequence[Connected]]:
    return [connected[start : start + size] for start in range(0, len(connected), size)]
