"""Rewrite stored webhooks that hold data of erased invitees.

Matched by the record of erasures, so no address is needed. The same pages serve a new erasure, an
interrupted one, and the daily check of recent webhooks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from application.ports.calendly.webhook_redactor import WebhookBodies
from application.ports.storage.personal_data import BodyPage, OpenedBody
from application.ports.storage.unit_of_work import Storage, UnitOfWork
from domain.erasure import is_body_covered
from domain.ids import WebhookEventId

BODIES_AT_ONCE = 200
"""No page opens more, because all its bodies are in memory together."""


class Redacted(msgspec.Struct, frozen=True):
    """The result of a page.

    Args:
        examined: bodies that were looked at.
        rewritten: those that held data of an erased invitee.
        unreadable: those that do not open, so that they cannot be searched.
        after: where the next page begins; None at the end.

    """

    examined: int
    rewritten: int
    unreadable: int
    after: WebhookEventId | None


@dataclass(frozen=True, kw_only=True)
class RedactBodies:
    """One page a call; a body that is rewritten still reads as the webhook it was."""

    storage: Storage
    bodies: WebhookBodies

    async def redact_page(
        self, after: WebhookEventId | None, limit: int, since: datetime | None = None
    ) -> Redacted:
        """Look through a page and rewrite what is to be.

        Args:
            after: None for the oldest, or what the page before said.
            limit: how many bodies at most; never more than BODIES_AT_ONCE.
            since: only those received or settled since (UTC); None for all.

        """
        async with self.storage() as uow:
            page = await uow.personal_data.bodies(after, min(limit, BODIES_AT_ONCE), since)
            rewritten = await self._rewrite(uow, page)
            await uow.commit()
        return _told(page, rewritten)

    async def _rewrite(self, uow: UnitOfWork, page: BodyPage) -> int:
        people = {each.id: self._people(each) for each in page.bodies}
        erased = await uow.erasures.known(frozenset().union(*people.values()))
        rewritten = 0
        for each in page.bodies:
            redacted = self._redacted(each, people[each.id], erased)
            if redacted != each.body and redacted is not None:
                await uow.personal_data.replace_body(each.id, redacted)
                rewritten += 1
        return rewritten

    def _redacted(
        self, opened: OpenedBody, people: frozenset[str], erased: Mapping[str, datetime]
    ) -> bytes | None:
        theirs = people & erased.keys()
        if opened.body is None or not theirs:
            return opened.body
        booked_at = self.bodies.booked_at(opened.body)
        covered = {
            each for each in theirs if is_body_covered(opened.received_at, booked_at, erased[each])
        }
        return self.bodies.erased(opened.body, covered) if covered else opened.body

    def _people(self, opened: OpenedBody) -> frozenset[str]:
        return frozenset() if opened.body is None else self.bodies.emails(opened.body)


def _told(page: BodyPage, rewritten: int) -> Redacted:
    return Redacted(
        examined=len(page.bodies),
        rewritten=rewritten,
        unreadable=sum(each.body is None for each in page.bodies),
        after=page.after,
    )
