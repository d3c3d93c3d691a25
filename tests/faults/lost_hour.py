"""An hour of life at Calendly without a delivery, and Calendly's own record afterwards."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from tests.faults.moved.calendly import Calendly

ACTS = ("book", "book", "book", "join", "move", "leave", "call_off", "mark", "unmark")

MARGIN = timedelta(minutes=1)

Seat = tuple[str, bool, str | None, str | None]
"""Status as the service names it, whether a no-show, predecessor, successor."""


class LostHour:
    """Books, moves, cancels and marks for the hosts it is given; loses the deliveries.

    Args:
        calendly: where.
        hosts: by URI.
        random: which act, for which host.
        now: the hour's own time (UTC).

    """

    def __init__(
        self,
        calendly: Calendly,
        hosts: Sequence[str],
        random: Random,
        now: Callable[[], datetime],
    ) -> None:
        self._calendly = calendly
        self._now = now
        self._hosts = hosts
        self._random = random
        self._workshops: dict[str, str] = {}
        self.acts = 0

    async def begin(self) -> None:
        """Let every host have one meeting and one place in a group event."""
        for host in self._hosts:
            user = await self._calendly.control("GET", f"/users/{_key(host)}")
            self._workshops[host] = user["event_types"][-1]["uri"]
            await self._book(user=_key(host))
            await self._book(event_type=_key(self._workshops[host]))

    async def pass_on(self, acts: int) -> None:
        """Let so many things happen, and lose the deliveries about them."""
        for _ in range(acts):
            host = self._random.choice(self._hosts)
            await self._act(self._random.choice(ACTS), host)
        await self._calendly.control("POST", "/deliveries/drop")

    async def seats(self) -> dict[str, Seat]:
        """Return all who were ever invited, by the invitee's URI."""
        found = (await self._calendly.control("GET", "/invitees"))["invitees"]
        return {each["uri"]: _seat(each) for each in found}

    async def _act(self, kind: str, host: str) -> None:
        if kind == "book":
            await self._book(user=_key(host))
        elif kind == "join":
            await self._join(host)
        else:
            await self._change(kind, host)
        self.acts += 1

    async def _join(self, host: str) -> None:
        """Take another place in a group event that has one left, or in a new one."""
        workshop = self._workshops[host]
        for each in await self._of(host):
            event = each["scheduled_event"]
            places = event["invitees_counter"]
            is_open = event["status"] == "active" and places["active"] < places["limit"]
            if event["event_type"] == workshop and is_open:
                await self._book(event_type=_key(workshop), start_time=event["start_time"])
                return
        await self._book(event_type=_key(workshop))

    async def _change(self, kind: str, host: str) -> None:
        active = [each for each in await self._of(host) if each["status"] == "active"]
        marked = [each for each in active if each["no_show"]]
        candidates = marked if kind == "unmark" else [e for e in active if not e["no_show"]]
        if kind not in {"mark", "unmark"}:
            candidates = [each for each in candidates if self._is_ahead(each)]
        if not candidates:
            await self._book(user=_key(host))
            return
        one = self._random.choice(candidates)
        who = f"/invitees/{_key(one['uri'])}"
        if kind == "move":
            await self._calendly.control("POST", f"{who}/reschedule")
        elif kind == "leave":
            await self._calendly.control("POST", f"{who}/cancel")
        elif kind == "call_off":
            await self._calendly.control("POST", f"/scheduled-events/{_key(one['event'])}/cancel")
        else:
            method = "POST" if kind == "mark" else "DELETE"
            await self._calendly.control(method, f"{who}/no-show")

    def _is_ahead(self, invitee: dict[str, Any]) -> bool:
        """Whether the meeting may still be moved or called off; Calendly refuses what began."""
        start = datetime.fromisoformat(invitee["scheduled_event"]["start_time"])
        return start > self._now() + MARGIN

    async def _book(self, **booking: str) -> None:
        await self._calendly.control("POST", "/invitees", **booking)

    async def _of(self, host: str) -> list[dict[str, Any]]:
        found = await self._calendly.control("GET", f"/invitees?user={_key(host)}")
        invitees: list[dict[str, Any]] = found["invitees"]
        return invitees


def _key(uri: str) -> str:
    return uri.rpartition("/")[2]


def _seat(invitee: dict[str, Any]) -> Seat:
    status = {"active": "booked"}.get(invitee["status"], invitee["status"])
    if invitee["new_invitee"]:
        status = "rescheduled"
    marked = invitee["no_show"] is not None
    return status, marked, invitee["old_invitee"], invitee["new_invitee"]
