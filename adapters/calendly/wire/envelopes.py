"""The envelopes of resources and lists (Calendly: API conventions)."""

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Resource(msgspec.Struct, Generic[T]):
    resource: T


class Pagination(msgspec.Struct):
    """Where the list goes on; no token after the last page."""

    next_page_token: str | None = None


class Collection(msgspec.Struct, Generic[T]):
    collection: list[T]
    pagination: Pagination = msgspec.field(default_factory=Pagination)
