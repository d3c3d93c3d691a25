"""The journey: which steps, in which order."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import httpx

from adapters.local_stack.demo import bookings, connecting, keeping, refusing
from adapters.local_stack.demo.stage import Stage, StepFailed


class Step(NamedTuple):
    """What a step does, and the function that does it and says what it saw."""

    title: str
    run: Callable[[Stage], str]


class Seen(NamedTuple):
    """How a step went."""

    title: str
    ok: bool
    detail: str


STEPS = (
    Step("The schedules run", keeping.schedules),
    Step("A user refuses the consent", connecting.deny),
    Step("A user connects Calendly", connecting.connect),
    Step("Subscription, sync and back-fill", connecting.onboarded),
    Step("Availability from the cache", bookings.availability),
    Step("Tokens are refreshed by Temporal", keeping.refresh),
    Step("An invitee books", bookings.invitee_books),
    Step("The invitee reschedules", bookings.invitee_reschedules),
    Step("The host marks a no-show", bookings.host_marks_no_show),
    Step("Availability is synced by Temporal", keeping.sync),
    Step("A token dies early", keeping.expired_token),
    Step("The invitee cancels", bookings.invitee_cancels),
    Step("We book for an invitee", bookings.we_book),
    Step("Calendly's answer is lost", bookings.lost_answer),
    Step("We cancel", bookings.we_cancel),
    Step("Bad input is refused", refusing.refusals),
    Step("The page", refusing.page),
    Step("Health and metrics", refusing.health),
    Step("The user disconnects", connecting.disconnect),
)


def walk(stage: Stage) -> Iterator[Seen]:
    """Walk the steps until one fails; each builds on the ones before it."""
    for step in STEPS:
        try:
            seen = Seen(step.title, ok=True, detail=step.run(stage))
        except (StepFailed, httpx.HTTPError, KeyError, StopIteration) as failure:
            seen = Seen(step.title, ok=False, detail=f"{type(failure).__name__}: {failure}")
        yield seen
        if not seen.ok:
            return
