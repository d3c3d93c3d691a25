"""The Idempotency-Key of a command (IETF draft: httpapi-idempotency-key-header)."""

import re
from typing import Annotated

from litestar.params import HeaderParameter

from domain.errors import IdempotencyKeyMissing, InvalidInput

IDEMPOTENCY_KEY = "Idempotency-Key"
_ACCEPTABLE = re.compile(r"[\x21-\x7e]{1,255}")


def provide_idempotency_key(
    idempotency_key: Annotated[
        str | None,
        HeaderParameter(
            name=IDEMPOTENCY_KEY,
            description=(
                "1 to 255 visible ASCII characters, new for each intended command. The same key "
                "with the same request never runs a command twice."
            ),
        ),
    ] = None,
) -> str:
    """Return the key.

    Raises:
        IdempotencyKeyMissing: the header is missing.
        InvalidInput: the header has another form.

    """
    if not idempotency_key:
        raise IdempotencyKeyMissing(
            "This request runs a command at Calendly, so it needs an Idempotency-Key header: 1 to "
            "255 visible ASCII characters, the same again when the request is repeated."
        )
    if _ACCEPTABLE.fullmatch(idempotency_key) is None:
        raise InvalidInput("Idempotency-Key must be 1 to 255 visible ASCII characters.")
    return idempotency_key
