"""The facts that a read of Calendly's API proves beyond its content.

A webhook reports one change; a read reports the state at the time of its request. The rule not to
break: a read overrules only facts older than its request by LAG, and is merged with all others.
"""

from datetime import datetime, timedelta

import msgspec

from domain.booking import LAG, Details, Facts, NoShow, counts_from


def as_read(facts: Facts, asked_at: datetime) -> Facts:
    """Return facts read from Calendly with what the read proves about the no-show mark.

    A mark that was set between the request and its response may be missing in the response, and
    our clock differs from Calendly's. So only changes older than the request by LAG are overruled.
    `asked_at` is when the read began (UTC).
    """
    uri = None if facts.no_show is None else facts.no_show.uri
    return msgspec.structs.replace(facts, seen=NoShow(at=asked_at - LAG, uri=uri))


def as_of_read(known: Facts, new: Facts) -> Facts:
    """Return the new facts, dated by their read if that is later than the known facts.

    Calendly changes an event's hosts, and adds a conference's link, without a new `updated_at`.
    The facts of a webhook are returned unchanged.
    """
    if new.seen is None or _is_same(known.details, new.details):
        return new
    if not new.details.updated_at <= known.details.updated_at <= new.seen.at:
        return new
    details = msgspec.structs.replace(new.details, updated_at=new.seen.at)
    return msgspec.structs.replace(new, details=details)


def mark_settled(facts: Facts) -> Facts:
    """Return the facts with the no-show mark that results from the mark that a read saw."""
    if facts.seen is None:
        return facts
    mark = _overruled(facts.no_show, facts.seen)
    return msgspec.structs.replace(facts, no_show=mark, seen=None)


def _overruled(mark: NoShow | None, seen: NoShow) -> NoShow | None:
    if mark is None or counts_from(mark) >= seen.at:
        return mark
    if seen.uri is None:
        return mark if mark.uri is None else seen
    if mark.uri is None:  # the mark that the read saw was set after this one was removed
        return NoShow(at=counts_from(mark) + timedelta(microseconds=1), uri=seen.uri)
    return mark


def _is_same(one: Details, other: Details) -> bool:
    return one == msgspec.structs.replace(other, updated_at=one.updated_at)
