"""Payloads as plain JSON made by msgspec, readable in the Temporal UI.

No codec hides them, so nothing secret or personal may enter them. A `Secret` cannot be encoded.
"""

import dataclasses
from typing import Any, Final

import msgspec
from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultPayloadConverter,
    EncodingPayloadConverter,
    JSONPlainPayloadConverter,
)

_ENCODER = msgspec.json.Encoder(order="deterministic")


class MsgspecJson(EncodingPayloadConverter):
    """`json/plain` by msgspec: structs, UUIDs, aware datetimes and enums come back as such."""

    @property
    def encoding(self) -> str:
        """The encoding name that Temporal's UI and CLI show as JSON."""
        return "json/plain"

    def to_payload(self, value: Any) -> Payload | None:
        """Encode a value; raises TypeError for a type that JSON does not know, such as Secret."""
        return Payload(metadata={"encoding": self.encoding.encode()}, data=_ENCODER.encode(value))

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """Decode a payload as the hinted type, or as plain dicts and lists without a hint."""
        hint = Any if type_hint is None else type_hint
        try:
            return msgspec.json.decode(payload.data, type=hint)
        except msgspec.DecodeError as error:
            raise RuntimeError(f"A payload is not a {hint}: {error}") from error


class MsgspecPayloadConverter(CompositePayloadConverter):
    """Temporal's default converters with msgspec in the place of the standard library's JSON."""

    def __init__(self) -> None:
        defaults = DefaultPayloadConverter.default_encoding_payload_converters
        others = (c for c in defaults if not isinstance(c, JSONPlainPayloadConverter))
        super().__init__(*others, MsgspecJson())


DATA_CONVERTER: Final = dataclasses.replace(
    DataConverter.default, payload_converter_class=MsgspecPayloadConverter
)
