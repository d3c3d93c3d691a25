"""Find and remove links that act without a login, and personal data, in webhook bodies.

Of an erased invitee's booking only the fields named here remain. A field that Calendly adds later
is removed with the person.
"""

import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import unquote

import msgspec

from adapters.calendly.translation.times import utc
from application.ports.calendly.bookings import REFERENCE_PREFIX
from domain.erasure import BY_INVITEE, normalised
from domain.webhook import EVENT_TYPE_KINDS, INVITEE_KINDS, NO_SHOW_KINDS

REMOVED, ERASED = "[removed]", "[erased]"

_EMPTY = b"{}"

_LINK_FIELDS = frozenset({"cancel_url", "reschedule_url"})
_LINK = re.compile(r"https?://\S*/(?:cancellations|reschedulings)/\S*", re.IGNORECASE)
# Characters that end an address. And characters that an address may contain (RFC 5321, atoms), but
# that also separate the parts of a link, or precede or follow an address in a text.
_ENDS, _DIVIDES = r"""\s@<>",;:()\[\]\\""", "'/=&?"
_NEVER = rf"{_ENDS}{_DIVIDES}"
# The end of another person's longer address is not a match.
_BEGINS = rf"(?<![^{_ENDS}])([{_DIVIDES}]*)"
_EMAIL = re.compile(rf"{_BEGINS}([^{_NEVER}][^{_ENDS}]*@[^{_NEVER}]+\.[^{_NEVER}]+)")
_WHOLE = re.compile(rf"[^{_ENDS}]+@[\w-]+(?:\.[\w-]+)*")
# It ends with an address: text that follows without a space is another word.
_WORD = re.compile(rf"[^\s@]+(?:@[^{_NEVER}]*(?![^{_NEVER}]|@))?")
_OF_LINK = re.compile(r"://|%40|[?&][^?&=]*=")
_PART_OF_LINK = re.compile(r"[^/=&?]+")

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
        try:
            return _mapped(_decoded(body), _without_link, drop=_LINK_FIELDS)
        except RecursionError:
            return None

    def emails(self, body: bytes) -> frozenset[str]:
        """Return every address; if the body is not JSON, the addresses in its text."""
        texts: list[str] = []
        try:
            decoded = _decoded(body)
            _mapped(decoded, lambda text: _record(text, texts))
        except RecursionError:
            decoded = None
        if decoded is None:
            return _emails_of(body.decode("utf-8", "replace"))
        own = _own_email(decoded)
        return frozenset({own} if own else ()).union(*map(_emails_of, texts))

    def booked_at(self, body: bytes) -> datetime | None:
        """Return the creation time of the payload's record, or else that of the webhook."""
        decoded = _decoded(body)
        envelope = decoded if isinstance(decoded, dict) else {}
        payload = envelope.get("payload")
        own = payload.get("created_at") if isinstance(payload, dict) else None
        return _time(own) or _time(envelope.get("created_at"))

    def erased(self, body: bytes, emails: Collection[str]) -> bytes:
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
            rewritten = _of_invitee(payload) if own else _redacted(payload, emails)
        elif kind in EVENT_TYPE_KINDS:
            rewritten = _redacted(payload, emails)
        else:
            # Contacts, forms, recaps: all fields are about the person, and the service uses none.
            rewritten = _picked(payload, ("uri", "created_at", "updated_at"))
        envelope = _redacted({**decoded, "payload": None}, emails)
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


def _time(value: Any) -> datetime | None:
    try:
        return utc(msgspec.convert(value, Annotated[datetime, msgspec.Meta(tz=True)]))
    except msgspec.ValidationError:
        return None


def _picked(value: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: value[name] for name in names if name in value}


def _redacted(value: Any, emails: Collection[str]) -> Any:
    # The longest first: an address may be the beginning of another one.
    ordered = sorted(emails, key=len, reverse=True)
    either = "|".join(re.escape(each).replace("@", "(?:@|%40)") for each in ordered)
    pattern = re.compile(rf"{_BEGINS}(?:{either})(?![\w-]|\.\w)", re.IGNORECASE)

    def other_spelling(match: re.Match[str]) -> str:
        return f"{match[1]}{ERASED}" if normalised(match[2]) in emails else match[0]

    def part_redacted(part: str) -> str:
        # Search again for spellings that only `normalised` recognises.
        return _EMAIL.sub(other_spelling, pattern.sub(rf"\1{ERASED}", part))

    def redacted(text: str) -> str:
        if _is_whole(text):
            return ERASED if normalised(text) in emails else text
        # A text that still contains the address, for example in a link that encodes each letter,
        # is replaced as a whole.
        left = _each_part(text, part_redacted)
        return left if _emails_of(left).isdisjoint(emails) else ERASED

    return _mapped(value, redacted)


def _emails_of(text: str) -> frozenset[str]:
    if _is_whole(text):
        return frozenset({normalised(text)})
    parts: list[str] = []
    _each_part(text, lambda part: _record(part, parts))
    parts += [unquote(part) for part in parts if "%40" in part]
    found = (each[2] for part in parts for each in _EMAIL.finditer(part))
    return frozenset(normalised(each.rstrip(".!")) for each in found)


def _is_whole(text: str) -> bool:
    """Whether the whole text is one address."""
    whole = normalised(text)
    return _WHOLE.fullmatch(whole) is not None and _OF_LINK.search(whole) is None


def _each_part(text: str, change: Callable[[str], str]) -> str:
    """Return the text with a change applied to each part that may contain an address."""

    def changed(found: re.Match[str]) -> str:
        return change(found[0])

    def word(found: re.Match[str]) -> str:
        is_link = _OF_LINK.search(found[0])
        return _PART_OF_LINK.sub(changed, found[0]) if is_link else changed(found)

    return _WORD.sub(word, text)


def _record(text: str, texts: list[str]) -> str:
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
