"""Where Calendly's webhook bodies hold links that act without a login, and people.

The rule not to break: of an erased invitee's booking there stays only what is named here. A field
that Calendly adds tomorrow goes with the person.
"""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from application.ports.calendly_bookings import REFERENCE_PREFIX
from domain.erasure import BY_INVITEE, normalised
from domain.webhook import EVENT_TYPE_KINDS, INVITEE_KINDS, NO_SHOW_KINDS

REMOVED, ERASED = "[removed]", "[erased]"

_EMPTY = b"{}"

_LINK_FIELDS = frozenset({"cancel_url", "reschedule_url"})
_LINK = re.compile(r"https?://\S*/(?:cancellations|reschedulings)/\S*", re.IGNORECASE)
# What no address holds in practice, and what stands around one in texts and in links.
_AROUND = r"""\s@<>"',;:()\[\]\\/=&?"""
_EMAIL = re.compile(rf"[^{_AROUND}]+@[^{_AROUND}]+\.[^{_AROUND}]+")

_KEPT = (
    "uri", "event", "status", "rescheduled", "old_invitee", "new_invitee", "created_at",
    "updated_at",
)  # fmt: skip
_KEPT_OF_EVENT = (
    "uri", "status", "start_time", "end_time", "event_type", "created_at", "updated_at",
    "invitees_counter",
)  # fmt: skip


class CalendlyWebhookBodies:
    """Implements the WebhookBodies port."""

    def without_links(self, body: bytes) -> Any:
        """Return the body as JSON's values, its acting links replaced."""
        try:
            return _mapped(_decoded(body), _without_link, drop=_LINK_FIELDS)
        except RecursionError:
            return None

    def emails(self, body: bytes) -> frozenset[str]:
        """Return every address, wherever it stands; of no JSON those of its text."""
        texts: list[str] = []
        try:
            decoded = _decoded(body)
            _mapped(decoded, lambda text: _noted(text, texts))
        except RecursionError:
            decoded = None
        if decoded is None:
            return _emails_of(body.decode("utf-8", "replace"))
        own = _own_email(decoded)
        return frozenset({own} if own else ()).union(*map(_emails_of, texts))

    def erased(self, body: bytes, emails: Collection[str]) -> bytes:
        """Return the body without these people."""
        try:
            return self._erased(_decoded(body), emails)
        except RecursionError:
            return _EMPTY

    def _erased(self, decoded: Any, emails: Collection[str]) -> bytes:
        if not isinstance(decoded, dict) or not isinstance(decoded.get("payload"), dict):
            return _EMPTY
        payload, kind = decoded["payload"], decoded.get("event")
        if kind in INVITEE_KINDS | NO_SHOW_KINDS:
            own = _own_email(decoded) in emails
            rewritten = _of_invitee(payload) if own else _blotted(payload, emails)
        elif kind in EVENT_TYPE_KINDS:
            rewritten = _blotted(payload, emails)
        else:
            # Contacts, forms, recaps: all of it is about the person, and nothing of it is used.
            rewritten = _picked(payload, ("uri", "created_at", "updated_at"))
        envelope = _blotted({**decoded, "payload": None}, emails)
        return msgspec.json.encode({**envelope, "payload": rewritten})


def _of_invitee(payload: Mapping[str, Any]) -> dict[str, Any]:
    kept = _picked(payload, _KEPT)
    event, mark = payload.get("scheduled_event"), payload.get("no_show")
    if isinstance(mark, dict):
        kept["no_show"] = _picked(mark, ("uri", "created_at"))
    if isinstance(payload.get("cancellation"), dict):
        kept["cancellation"] = _cancellation(payload["cancellation"])
    if isinstance(event, dict):
        kept["scheduled_event"] = _event(event, _name(payload))
    tracking = payload.get("tracking")
    reference = tracking.get("utm_content") if isinstance(tracking, dict) else None
    if isinstance(reference, str) and reference.startswith(REFERENCE_PREFIX):
        kept["tracking"] = {"utm_content": reference}
    return kept


def _event(event: Mapping[str, Any], invitee: str) -> dict[str, Any]:
    kept = _picked(event, _KEPT_OF_EVENT)
    name = event.get("name")
    if isinstance(name, str) and not (invitee and invitee in name.lower()):
        kept["name"] = name
    if isinstance(event.get("location"), dict):
        kept["location"] = _picked(event["location"], ("type",))
    if isinstance(event.get("cancellation"), dict):
        kept["cancellation"] = _cancellation(event["cancellation"])
    members = event.get("event_memberships")
    if isinstance(members, list):
        kept["event_memberships"] = [
            _picked(each, ("user",)) for each in members if isinstance(each, dict)
        ]
    return kept


def _cancellation(cancellation: Mapping[str, Any]) -> dict[str, Any]:
    by_invitee = cancellation.get("canceler_type") == BY_INVITEE
    fields = ("canceler_type", "created_at", *(() if by_invitee else ("canceled_by",)))
    return _picked(cancellation, fields)


def _name(payload: Mapping[str, Any]) -> str:
    parts = (payload.get("first_name"), payload.get("last_name"))
    name = payload.get("name") or " ".join(part for part in parts if isinstance(part, str))
    return name.strip().lower() if isinstance(name, str) else ""


def _own_email(decoded: Any) -> str | None:
    payload = decoded.get("payload") if isinstance(decoded, dict) else None
    email = payload.get("email") if isinstance(payload, dict) else None
    return normalised(email) if isinstance(email, str) and email.strip() else None


def _picked(value: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: value[name] for name in names if name in value}


def _blotted(value: Any, emails: Collection[str]) -> Any:
    # The longest first: an address may end another one.
    ordered = sorted(emails, key=len, reverse=True)
    either = "|".join(re.escape(each).replace("@", "(?:@|%40)") for each in ordered)
    # A whole address alone: the end of somebody else's is not this person's.
    pattern = re.compile(rf"(?<![^{_AROUND}])(?:{either})(?![\w-]|\.\w)", re.IGNORECASE)
    return _mapped(value, lambda text: pattern.sub(ERASED, text))


def _emails_of(text: str) -> frozenset[str]:
    found = _EMAIL.findall(text) + (_EMAIL.findall(unquote(text)) if "%40" in text else [])
    return frozenset(normalised(each.rstrip(".!")) for each in found)


def _noted(text: str, texts: list[str]) -> str:
    texts.append(text)
    return text


def _without_link(text: str) -> str:
    return _LINK.sub(REMOVED, text)


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _mapped(value: Any, change: Callable[[str], str], drop: frozenset[str] = frozenset()) -> Any:
    """Return a value of JSON with each of its texts changed, and those of named fields removed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_mapped(each, change, drop) for each in value]
    if isinstance(value, dict):
        return {
            change(name): REMOVED
            if name in drop and part is not None
            else _mapped(part, change, drop)
            for name, part in value.items()
        }
    return value
