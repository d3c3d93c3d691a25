"""The token endpoint answers `invalid_grant` to all accounts during one run, and is well again.

It is made with another app's credentials. The rows do not say which client their grant is of,
like those of an earlier version, so the service cannot know the reason.
"""

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

from domain.integration import Status
from domain.refusal import MANY_ACCOUNTS
from tests.faults import accounts
from tests.faults.accounts import Connected, Verdict
from tests.faults.rig import Rig, open_rig
from tests.faults.row import Row
from tests.faults.scenarios import Size
from tests.faults.wrong_app import OTHER_APP, add_other_app

# The waits after which a refused grant is asked again, shortened so that they pass in real time.
RETRY = "4s,6s,60s"
BREAKER = {"BREAKER_RESET": "1s", "BREAKER_LONGEST": "2s"}
ALL_BACK_WITHIN = 70.0


class MassRefusalSize(Size, frozen=True):
    """How many integrations are due."""

    SCALES: ClassVar[tuple[str, ...]] = ("integrations",)
    integrations: int


FULL = MassRefusalSize(integrations=1_000)
SMALL = MassRefusalSize(integrations=30)


async def run(size: MassRefusalSize) -> list[Row]:
    """Refuse all accounts for one run, and let the job run until all are back."""
    options = {"REFRESH_RATE": "0", "REFUSAL_RETRY": RETRY, **BREAKER}
    async with open_rig(users=size.integrations, settings=options) as rig:
        connected = await accounts.connect(
            rig, size.integrations, expires_in=timedelta(minutes=30), of_known_client=False
        )
        await add_other_app(rig)
        await rig.run("tests.faults.processes.job", **OTHER_APP).done(within=600)
        refused = await accounts.verdicts(rig, connected)
        seconds = await _until_all_are_back(rig, connected)
        after = await accounts.verdicts(rig, connected)
    return [_row(size, refused, after, seconds)]


async def _until_all_are_back(rig: Rig, connected: Sequence[Connected]) -> float:
    began = time.monotonic()
    while time.monotonic() - began < ALL_BACK_WITHIN:
        await rig.run("tests.faults.processes.job").done(within=600)
        if all(each.kept for each in await accounts.verdicts(rig, connected)):
            break
    return time.monotonic() - began


def _row(
    size: MassRefusalSize, refused: Sequence[Verdict], after: Sequence[Verdict], seconds: float
) -> Row:
    erased = sum(each.integration.tokens is None for each in (*refused, *after))
    told = sum(each.integration.status is Status.REAUTH_REQUIRED for each in refused)
    recovered = sum(each.integration.recovery is not None for each in after)
    back = sum(each.kept and each.grant.exchanges > 0 for each in after)
    return Row(
        what=f"`invalid_grant` to all of {size.integrations:,} accounts for one run",
        must=f"at most {MANY_ACCOUNTS - 1} users `reauth_required`, 0 tokens erased, all back by "
        "themselves within the times of asking again",
        seen=f"{told} `reauth_required` ({recovered} recovered), {erased} erased; {back:,} back "
        f"after {seconds:.0f} s (waits of {RETRY})",
        holds=not erased
        and 0 < told < MANY_ACCOUNTS
        and recovered == told
        and back == size.integrations,
    )
