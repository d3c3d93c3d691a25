"""Items of a list, each read by itself, so that one of no known shape does not hide the others.

The rule not to break: only reconciliations use this, because they count the items they skip. A
search for one item has to fail if an item cannot be read.
"""

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from adapters.calendly.wire.decoding import Unreadable, decode

T = TypeVar("T")


def readable(items: Iterable[msgspec.Raw], into: type[T]) -> tuple[list[T], int]:
    """Return those items that are of the given shape, and how many are not."""
    read: list[T] = []
    unreadable = 0
    for item in items:
        try:
            read.append(decode(bytes(item), into))
        except Unreadable:
            unreadable += 1
    return read, unreadable
