"""The token endpoint's answer (Calendly: Get Access Token).

The token that was sent is dead when this is read, so no field is required. A field that is
absent, null or of another kind reads as None; the translation decides what that means.
"""

from typing import TypeVar

import msgspec

from adapters.calendly.wire.decoding import Unreadable, decode
from domain.secret import Secret

T = TypeVar("T")


class TokenAnswer(msgspec.Struct):
    """The token endpoint's answer; `expires_in` in seconds."""

    access_token: Secret | None
    refresh_token: Secret | None
    expires_in: float | None
    scope: str | None
    owner: str | None
    organization: str | None


def read_token_answer(body: bytes) -> TokenAnswer:
    """Return the answer.

    Raises:
        Unreadable: the body is not a JSON object.

    """
    fields = decode(body, dict[str, msgspec.Raw])
    return TokenAnswer(
        access_token=_field(fields, "access_token", Secret),
        refresh_token=_field(fields, "refresh_token", Secret),
        expires_in=_field(fields, "expires_in", float, strict=False),
        scope=_field(fields, "scope", str),
        owner=_field(fields, "owner", str),
        organization=_field(fields, "organization", str),
    )


def _field(
    fields: dict[str, msgspec.Raw], name: str, kind: type[T], *, strict: bool = True
) -> T | None:
    if name not in fields:
        return None
    try:
        return decode(bytes(fields[name]), kind, strict=strict)
    except Unreadable:
        return None
