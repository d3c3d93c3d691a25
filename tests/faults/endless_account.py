"""One account whose list of events never ends, among accounts that are well."""

from itertools import count
from typing import ClassVar

import httpx

from application.jobs.job_result import JobResult
from application.resilience.priority import in_background
from domain.secret import Secret
from tests.faults.moved.accounts import Accounts
from tests.faults.moved.line import Send
from tests.faults.moved.stage import Stage, staged
from tests.faults.row import Row
from tests.faults.scenarios import Size as AnySize

RUNS = 2
PAGE = 10


class Size(AnySize, frozen=True):
    """How many accounts there are, the endless one included; whether it is endless."""

    SCALES: ClassVar[tuple[str, ...]] = ("accounts",)
    accounts: int
    ends: bool = False


FULL = Size(accounts=100)
SMALL = Size(accounts=6)


async def run(size: Size, database: Secret | None = None) -> list[Row]:
    """Compare all accounts twice while the first one's pages do not end."""
    async with staged(size.accounts, database) as stage:
        accounts = Accounts(stage)
        await accounts.connect(size.accounts)
        hosts = [each.account.user_uri for each in await accounts.all()]
        for host in hosts:
            await stage.calendly.control("POST", "/invitees", user=host.rpartition("/")[2])
        first = (await accounts.all())[0]
        if not size.ends:
            stage.line.through = _Endless(first.account.user_uri)
        results = [await _compare(stage) for _ in range(RUNS)]
        after = await accounts.all()
    compared = [each.reconciled_at is not None for each in after]
    others = sum(compared[1:])
    reason = after[0].reconcile_error
    in_one_run = sum(results[0].done.values())
    return [
        Row(
            what=f"one of {size.accounts:,} accounts lists its events without an end;"
            f" {RUNS} runs of the comparison",
            must="all others are compared in the first run, the one is visible with its reason",
            seen=f"{in_one_run:,} in the first run, {others:,} others after both; the endless one"
            f" {'is compared' if compared[0] else 'is not compared'}, its reason is {reason}",
            holds=in_one_run == others == size.accounts - 1
            and not compared[0]
            and reason is not None,
        )
    ]


class _Endless:
    """Answers one user's list of events with an empty page and a new token, each time."""

    def __init__(self, user_uri: str) -> None:
        self._user_uri = user_uri
        self._pages = count(1)

    async def __call__(self, request: httpx.Request, send: Send) -> httpx.Response:
        is_list = request.url.path == "/scheduled_events"
        if not is_list or request.url.params.get("user") != self._user_uri:
            return await send(request)
        token = f"page-{next(self._pages)}"
        body = {"collection": [], "pagination": {"next_page_token": token}}
        return httpx.Response(200, json=body, request=request)


async def _compare(stage: Stage) -> JobResult:
    total = JobResult(more=True)
    with in_background():
        while total.more:
            page = await stage.worker.reconcile_all(total.cursor, PAGE, lambda _: None)
            total = total.plus(page)
    return total
