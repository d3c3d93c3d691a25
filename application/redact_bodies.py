"""Rewrite stored webhooks that hold data of erased invitees.

Matched by what the record of erasures knows, so that it needs nobody's address: the same pages
serve a new erasure and the daily look at what arrived since.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from application.ports.personal_data import BodyPage, OpenedBody
from application.ports.unit_of_work import Storage
from application.ports.webhook_bodies import WebhookBodies
from domain.ids import WebhookEventId

_MILLISECONDS = 80  # bits of a UUID of version 7 below its Unix time (RFC 9562, 5.7)


class Redacted(msgspec.Struct, frozen=True):
    """What a page came to.

    Args:
        examined: bodies that were looked at.
        rewritten: those that held data of somebody erased.
        unreadable: those that do not open, so that nobody can look.
        after: where the next page begins; None at the end.

    """

    examined: int
    rewritten: int
    unreadable: int
    after: WebhookEventId | None


class RedactBodies:
    """One page a call; a body that is rewritten still reads as the webhook it was."""

    def __init__(self, *, storage: Storage, bodies: WebhookBodies) -> None:
        self._storage = storage
        self._bodies = bodies

    async def __call__(self, after: WebhookEventId | None, limit: int) -> Redacted:
        """Look through a page of up to `limit` bodies and rewrite what is to be.

        Args:
            after: None for the oldest, or what the page before said.
            limit: how many.

        """
        async with self._storage() as uow:
            page = await uow.personal_data.bodies(after, limit)
            people = {each.id: self._people(each) for each in page.bodies}
            erased = await uow.erasures.known(frozenset().union(*people.values()))
            rewritten = 0
            for each in page.bodies:
                theirs = people[each.id] & erased.keys()
                if each.body is None or not theirs:
                    continue
                redacted = self._bodies.erased(each.body, theirs)
                if redacted != each.body:
                    await uow.personal_data.replace_body(each.id, redacted)
                    rewritten += 1
            await uow.commit()
        return _told(page, rewritten)

    def _people(self, opened: OpenedBody) -> frozenset[str]:
        return frozenset() if opened.body is None else self._bodies.emails(opened.body)


def received_before(moment: datetime) -> WebhookEventId:
    """Return the position behind which stand events that were stored since a moment (UTC)."""
    return WebhookEventId(UUID(int=int(moment.timestamp() * 1000) << _MILLISECONDS))


def _told(page: BodyPage, rewritten: int) -> Redacted:
    return Redacted(
        examined=len(page.bodies),
        rewritten=rewritten,
        unreadable=sum(each.body is None for each in page.bodies),
        after=page.after,
    )
