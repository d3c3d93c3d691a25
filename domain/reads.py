"""What a read of Calendly's API proves beyond what it says.

A webhook tells of one change; a read tells what is the case as of its question. The rule not to
break: a read overrules only what is older than its question by LAG, the rest it merely joins.
"""

from datetime import datetime, timedelta

import msgspec

from domain.booking import LAG, Details, Facts, NoShow, counts_from


def as_read(facts: Facts, asked_at: datetime) -> Facts:
    """Return facts read from Calendly with what the read proves of the no-show mark.

    A mark that was toggled between the question and its answer may be absent from the answer, and
    our clock is not Calendly's: only toggles older than the question by LAG are overruled.

    Args:
        facts: what one read said.
        asked_at: when that read began (UTC).

    """
    uri = None if facts.no_show is None else facts.no_show.uri
    return msgspec.structs.replace(facts, seen=NoShow(at=asked_at - LAG, uri=uri))


def as_of_read(known: Facts, told: Facts) -> Facts:
    """Return what was told, dated by the read it comes from where that is the later word.

    Calendly changes an event's hosts, and adds a conference's link, without saying when: the
    `updated_at` may be the known one. What a webhook told is returned as it is.
    """
    if told.seen is None or _is_same(known.details, told.details):
        return told
    if not told.details.updated_at <= known.details.updated_at <= told.seen.at:
        return told
    details = msgspec.structs.replace(told.details, updated_at=told.seen.at)
    return msgspec.structs.replace(told, details=details)


def mark_settled(facts: Facts) -> Facts:
    """Return the facts with the no-show mark as it stands after what was seen of it."""
    if facts.seen is None:
        return facts
    mark = _overruled(facts.no_show, facts.seen)
    return msgspec.structs.replace(facts, no_show=mark, seen=None)


def _overruled(mark: NoShow | None, seen: NoShow) -> NoShow | None:
    if mark is None or counts_from(mark) >= seen.at:
        return mark
    if seen.uri is None:
        return mark if mark.uri is None else seen
    if mark.uri is None:  # the mark that stands was set after this one was taken back
        return NoShow(at=counts_from(mark) + timedelta(microseconds=1), uri=seen.uri)
    return mark


def _is_same(one: Details, other: Details) -> bool:
    return one == msgspec.structs.replace(other, updated_at=one.updated_at)
