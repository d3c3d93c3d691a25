"""The refresh job runs with another app's credentials, and then with the right ones.

The other app is known to Calendly, so each request would be answered `invalid_grant`.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

from domain.integration import Status
from tests.faults import accounts
from tests.faults.accounts import Verdict
from tests.faults.rig import Rig, open_rig
from tests.faults.row import Row
from tests.faults.scenarios import Size

OTHER_APP = {
    "CALENDLY_CLIENT_ID": "second-client",
    "CALENDLY_CLIENT_SECRET": "second-secret-of-enough-length",
}


class WrongAppSize(Size, frozen=True):
    """How many integrations are due."""

    SCALES: ClassVar[tuple[str, ...]] = ("integrations",)
    integrations: int


FULL = WrongAppSize(integrations=1_000)
SMALL = WrongAppSize(integrations=30)


async def run(size: WrongAppSize) -> list[Row]:
    """Run the job with the other app's credentials, correct them, and run it once more."""
    async with open_rig(users=size.integrations, settings={"REFRESH_RATE": "0"}) as rig:
        connected = await accounts.connect(
            rig, size.integrations, expires_in=timedelta(minutes=30)
        )
        await add_other_app(rig)
        await rig.run("tests.faults.processes.job", **OTHER_APP).done(within=600)
        wrong = await accounts.verdicts(rig, connected)
        await rig.run("tests.faults.processes.job").done(within=600)
        corrected = await accounts.verdicts(rig, connected)
    return [_row(size, wrong, corrected)]


async def add_other_app(rig: Rig) -> None:
    """Let Calendly know the other app."""
    await rig.calendly.control(
        "POST",
        "/apps",
        client_id=OTHER_APP["CALENDLY_CLIENT_ID"],
        client_secret=OTHER_APP["CALENDLY_CLIENT_SECRET"],
        signing_key="second-signing-key-of-enough-length",
    )


def _row(size: WrongAppSize, wrong: Sequence[Verdict], corrected: Sequence[Verdict]) -> Row:
    erased = sum(each.integration.tokens is None for each in wrong)
    told = sum(each.integration.status is Status.REAUTH_REQUIRED for each in wrong)
    refreshed = sum(each.kept and each.grant.exchanges == 1 for each in corrected)
    return Row(
        what=f"the job runs with another app's credentials over {size.integrations:,} due "
        "accounts, then corrected",
        must="0 tokens erased, 0 users `reauth_required`, all refreshed within one run after the "
        "correction",
        seen=f"{erased} erased, {told} `reauth_required`; {refreshed:,} refreshed by the run after",
        holds=not erased and not told and refreshed == size.integrations,
    )
