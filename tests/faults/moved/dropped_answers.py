"""Calendly processes a share of the token requests and their answers are lost.

Such a grant is dead and cannot be saved. The service can find out, report why, and leave it at
that.
"""

from collections import Counter
from typing import ClassVar

from domain.ids import IntegrationId
from domain.integration import Cause, Integration, Status
from domain.secret import Secret
from tests.faults.moved.accounts import Accounts
from tests.faults.moved.schedule import HOUR, Schedule
from tests.faults.moved.stage import Stage, staged
from tests.faults.row import Row
from tests.faults.scenarios import Size as AnySize

SHARE = 0.05
# The lost one, one that is refused too early to believe it, and the one that settles it.
MOST_REQUESTS = 3


class Size(AnySize, frozen=True):
    """How many integrations are due."""

    SCALES: ClassVar[tuple[str, ...]] = ("integrations",)
    integrations: int = 10_000


FULL = Size()


async def run(size: Size, database: Secret | None = None) -> list[Row]:
    """Lose answers for one run of the job."""
    async with staged(size.integrations, database) as stage:
        accounts = Accounts(stage)
        await accounts.connect(size.integrations)
        await stage.move_to(stage.clock.now() + HOUR)
        await stage.calendly.fault(path="/oauth/token", kind="drop_answer", share=SHARE)
        schedule = Schedule(stage, when_idle=stage.calendly.recover)
        await schedule.play(stage.clock.now() + HOUR)
        return [_row(size, stage, accounts, await accounts.all())]


def _row(size: Size, stage: Stage, accounts: Accounts, found: list[Integration]) -> Row:
    hit = {accounts.by_token[token] for token in stage.line.broken if token in accounts.by_token}
    causes = Counter(str(each.attention.cause) for each in found if each.attention)
    labelled = _labelled(found)
    healthy = sum(1 for each in found if _is_healthy(each, stage))
    storm = Counter(stage.line.shown[token] for token in stage.line.broken)
    return Row(
        what=f"{SHARE:.0%} of answers dropped after processing, {size.integrations:,} due",
        must="each affected account is `reauth_required` with the cause `refresh_outcome_lost`"
        f" and no other is; at most {MOST_REQUESTS} requests with one token",
        seen=f"{len(hit):,} affected, labelled {dict(causes)}; {healthy:,} others refreshed;"
        f" requests with one lost token: {dict(sorted(storm.items()))}",
        holds=bool(hit)
        and labelled == hit
        and healthy == len(found) - len(hit)
        and max(storm) <= MOST_REQUESTS,
    )


def _labelled(found: list[Integration]) -> set[IntegrationId]:
    return {
        each.id
        for each in found
        if each.status is Status.REAUTH_REQUIRED
        and each.attention is not None
        and each.attention.cause is Cause.REFRESH_OUTCOME_LOST
    }


def _is_healthy(integration: Integration, stage: Stage) -> bool:
    tokens = integration.tokens
    return (
        integration.status is Status.ACTIVE
        and tokens is not None
        and tokens.version > 1
        and tokens.expires_at > stage.clock.now()
    )
