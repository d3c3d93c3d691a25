"""Event types, indexed by id and owner."""

from datetime import datetime
from typing import Any, Literal

import msgspec

from sandbox.state.directory import User

QuestionType = Literal["string", "text", "phone_number", "single_select", "multi_select"]


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A custom question of the booking form."""

    name: str
    type: QuestionType = "text"
    position: int = 0
    enabled: bool = True
    required: bool = False
    answer_choices: tuple[str, ...] = ()
    include_other: bool = False


class EventType(msgspec.Struct, eq=False, kw_only=True):
    """A kind of meeting that can be booked with `owner`; durations in minutes."""

    uuid: str
    owner: User
    name: str
    slug: str
    duration: int
    position: int
    created_at: datetime
    updated_at: datetime
    kind: Literal["solo", "group"] = "solo"
    seats: int = 1
    pooling_type: Literal["round_robin", "collective", "multi_pool"] | None = None
    active: bool = True
    secret: bool = False
    color: str = "#8247f5"
    description: str | None = None
    location: dict[str, Any] | None = None
    questions: tuple[Question, ...] = ()
    deleted_at: datetime | None = None

    @property
    def bookable(self) -> bool:
        """Whether an invitee may book it now."""
        return self.active and self.deleted_at is None


class Catalogue:
    """All event types. Deleted ones stay readable by id and leave every list."""

    def __init__(self) -> None:
        self.all: dict[str, EventType] = {}
        self._by_owner: dict[str, list[EventType]] = {}

    def add(self, event_type: EventType) -> None:
        """Enter an event type at the end of its owner's list."""
        self.all[event_type.uuid] = event_type
        self._by_owner.setdefault(event_type.owner.uuid, []).append(event_type)

    def of(self, user: User) -> list[EventType]:
        """The user's event types that are not deleted, oldest first."""
        return [e for e in self._by_owner.get(user.uuid, ()) if e.deleted_at is None]

    def find(self, key: str) -> EventType | None:
        """An event type by id or any URI that ends in it, deleted ones included."""
        return self.all.get(key.rsplit("/", 1)[-1])
