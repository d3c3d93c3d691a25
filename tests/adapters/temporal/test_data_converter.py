import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec
import pytest

from adapters.temporal.data_converter import MsgspecPayloadConverter
from domain.secret import Secret


class Colour(StrEnum):
    RED = "red"


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    id: UUID
    at: datetime
    counts: dict[str, int] = {}
    colour: Colour | None = None
    names: tuple[str, ...] = ()


FULL = Message(
    id=UUID("0190a0b4-7f2d-7c3e-8000-000000000001"),
    at=datetime(2026, 11, 22, 12, 30, tzinfo=UTC),
    counts={"b": 2, "a": 1},
    colour=Colour.RED,
    names=("x", "y"),
)


def through(value: Any, hint: type | None) -> Any:
    """Return what arrives on the other side."""
    converter = MsgspecPayloadConverter()
    return converter.from_payloads(
        converter.to_payloads([value]), None if hint is None else [hint]
    )[0]


@pytest.mark.parametrize(
    ("value", "hint"),
    [(FULL, Message), ("text", str), (3, int), (None, type(None)), (b"x", bytes)],
)
def test_values_arrive_as_they_left(value: Any, hint: type) -> None:
    """A payload becomes the value that it was made of."""
    assert through(value, hint) == value


def test_payloads_are_readable_json() -> None:
    """Temporal's UI and CLI show what a payload says."""
    [payload] = MsgspecPayloadConverter().to_payloads([FULL])

    assert payload.metadata["encoding"] == b"json/plain"
    assert json.loads(payload.data)["at"] == "2026-11-22T12:30:00Z"
    assert b'"counts":{"a":1,"b":2}' in payload.data


def test_an_older_worker_reads_a_newer_message() -> None:
    """A field that a message does not know is passed over."""
    newer = {"id": str(FULL.id), "at": "2026-11-22T12:30:00Z", "added_later": 1}

    assert through(newer, Message) == Message(id=FULL.id, at=FULL.at)


def test_without_a_hint_plain_values_arrive() -> None:
    """Heartbeat details, which have no type, come back as dicts."""
    assert through(Message(id=FULL.id, at=FULL.at), None) == {
        "id": str(FULL.id),
        "at": "2026-11-22T12:30:00Z",
    }


def test_a_secret_cannot_become_a_payload() -> None:
    """Handing a secret to Temporal is an error, and the error does not show it."""
    with pytest.raises(TypeError) as caught:
        MsgspecPayloadConverter().to_payloads([Secret("hush")])

    assert "hush" not in str(caught.value)


def test_a_payload_of_another_shape_is_refused() -> None:
    """A payload that does not fit its type is an error, not a half-filled message."""
    with pytest.raises(RuntimeError, match="could not be converted"):
        through({"id": "not an id"}, Message)
