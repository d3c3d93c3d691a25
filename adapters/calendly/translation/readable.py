"""Decode each item of a list by itself, so that an unreadable item does not hide the others.

Reconciliations and the lists of availability use this; they count the skipped items. A search for
one certain item must fail if an item is unreadable.
"""

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from adapters.calendly.wire.decoding import Unreadable
from adapters.calendly.wire.lenient import decode_leniently

T = TypeVar("T")


def readable(items: Iterable[msgspec.Raw], into: type[T]) -> tuple[list[T], int]:
    """Return the decoded items, and the number of unreadable ones."""
    read: list[T] = []
    unreadable = 0
    for item in items:
        try:
            read.append(decode_leniently(bytes(item), into))
        except Unreadable:
            unreadable += 1
    return read, unreadable
