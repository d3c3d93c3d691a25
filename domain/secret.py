"""Secret: a text that must not be shown.

Code that needs the text calls `reveal()`; every other way (repr, str, format, pickle,
JSON) is closed or redacted.
"""

import hmac
from typing import Any, NoReturn, final

REDACTED = "[redacted]"


@final
class Secret:
    """A text whose representation is redacted and whose equality takes constant time.

    Not a msgspec Struct on purpose: encoding one as JSON is an error. So a secret cannot reach a
    workflow history, an answer or a log as part of a larger value.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself, for the one call that must send or seal it."""
        return self._text

    def __repr__(self) -> str:
        return REDACTED

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        return REDACTED

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __bool__(self) -> bool:
        return bool(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("A Secret cannot be pickled")

    def __getstate__(self) -> Any:
        raise TypeError("A Secret cannot be copied out of its process")
