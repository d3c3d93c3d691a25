"""The journey: its steps in their order, and a walk through them.

`slotkeeper demo` walks it, and so do the tests.
"""

from collections.abc import Callable
from typing import NamedTuple

import httpx
from rich.console import Console

from adapters.local_stack.demo import bookings, integration, jobs, web
from adapters.local_stack.demo.stage import Stage, StepFailed


class Step(NamedTuple):
    """`run` returns what the step saw, or raises `StepFailed`."""

    title: str
    run: Callable[[Stage], str]


STEPS = (
    Step("The schedules run", jobs.schedules),
    Step("A user refuses the consent", integration.deny),
    Step("A user connects Calendly", integration.connect),
    Step("A link is passed on", integration.passed_on),
    Step("Subscription, sync and back-fill", integration.onboarded),
    Step("Availability from the cache", bookings.availability),
    Step("Tokens are refreshed by Temporal", jobs.refresh),
    Step("An invitee books", bookings.invitee_books),
    Step("The invitee reschedules", bookings.invitee_reschedules),
    Step("The host marks a no-show", bookings.host_marks_no_show),
    Step("Availability is synced by Temporal", jobs.sync),
    Step("A token dies early", jobs.expired_token),
    Step("The invitee cancels", bookings.invitee_cancels),
    Step("We book for an invitee", bookings.we_book),
    Step("Calendly's answer is lost", bookings.lost_answer),
    Step("We cancel", bookings.we_cancel),
    Step("Bad input is refused", web.refusals),
    Step("The page", web.page),
    Step("Health and metrics", web.health),
    Step("The user disconnects", integration.disconnect),
)


def walk(console: Console, stage: Stage) -> bool:
    """Print what each step saw; False after one that failed, since each builds on those before."""
    for number, step in enumerate(STEPS, start=1):
        try:
            detail, failed = step.run(stage), False
        except (StepFailed, httpx.HTTPError, KeyError, StopIteration) as failure:
            detail, failed = f"{type(failure).__name__}: {failure}", True
        mark, style = ("[red]✗[/]", "red") if failed else ("[green]✓[/]", "dim")
        console.print(f"{mark} {number:2}/{len(STEPS)} [bold]{step.title}[/]")
        console.print(f"        {detail}", markup=False, style=style)
        if failed:
            return False
    console.print(f"\nAll {len(STEPS)} steps passed.")
    return True
