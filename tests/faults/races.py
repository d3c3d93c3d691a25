"""Many processes refresh the same integrations at the same moment, in every way there is."""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

import msgspec

from tests.faults import accounts
from tests.faults.accounts import Connected, Verdict
from tests.faults.rig import Rig, Running, open_rig
from tests.faults.row import Row
from tests.faults.scenarios import Size

# PostgreSQL grants a hundred connections; a process takes four more than it has tasks.
CONCURRENCY = 6


class RaceSize(Size, frozen=True):
    """How many processes, and over how many integrations each."""

    SCALES: ClassVar[tuple[str, ...]] = ("integrations",)
    processes: int
    integrations: int


FULL = RaceSize(processes=8, integrations=1_000)
SMALL = RaceSize(processes=3, integrations=30)


async def run(size: RaceSize) -> list[Row]:
    """Expire all tokens at Calendly, of half of them unknown to the service, and race."""
    options = {"CONCURRENCY": str(CONCURRENCY), "REFRESH_RATE": "0"}
    async with open_rig(users=size.integrations, settings=options) as rig:
        # From an hour ago to an hour ahead: half of the callers learn of it by a 401.
        hour = timedelta(hours=1)
        connected = await accounts.connect(
            rig, size.integrations, expires_in=-hour, apart=2 * hour / size.integrations
        )
        await rig.calendly.expire_access_tokens()
        ended = await _race(rig, size, connected)
        after = await accounts.verdicts(rig, connected)
    return [_row(size, ended, after)]


async def _race(rig: Rig, size: RaceSize, connected: Sequence[Connected]) -> Counter[str]:
    go = rig.folder / "go"
    runners = [_runner(rig, number, connected) for number in range(size.processes)]
    for runner in runners:
        await runner.says()
    go.touch()
    ended: Counter[str] = Counter()
    for runner in runners:
        ended.update(msgspec.json.decode(await runner.done(within=600), type=dict[str, int]))
    return ended


def _runner(rig: Rig, number: int, connected: Sequence[Connected]) -> Running:
    ids = [str(each.id) for each in connected]
    if number % 2:
        # The others go through them in the same order, so that they meet at each.
        random.Random(number).shuffle(ids)  # noqa: S311 - an order, not a secret
    file = rig.folder / f"ids-{number}.json"
    file.write_bytes(msgspec.json.encode(ids))
    return rig.run("tests.faults.processes.race", str(file), str(rig.folder / "go"))


def _row(size: RaceSize, ended: Counter[str], after: Sequence[Verdict]) -> Row:
    exchanges = Counter(each.grant.exchanges for each in after)
    reused = sum(each.grant.reused for each in after)
    person = sum(each.labelled is not None for each in after)
    unanswered = {name: count for name, count in ended.items() if not name.endswith(":ok")}
    once = exchanges == {1: size.integrations}
    return Row(
        what=f"{size.processes} processes racing over {size.integrations:,} expiries "
        "(each with job, API 401s and operator at once)",
        must="exactly one exchange each, 0 reuse of a spent token, 0 `reauth_required`",
        seen=f"{_exchanges(exchanges)}, {reused} reused, {person} `reauth_required`; "
        f"{ended.total():,} calls, {unanswered or 0} unanswered",
        holds=once and all(each.kept for each in after) and not reused and not person,
    )


def _exchanges(counted: Counter[int]) -> str:
    return ", ".join(
        f"{many:,} exchanged {times} time(s)" for times, many in sorted(counted.items())
    )
