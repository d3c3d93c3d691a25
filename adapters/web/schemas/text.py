"""The kinds of text that a request may contain.

Control characters are refused everywhere: they break logs, mails and calendars, and PostgreSQL
refuses NUL. Text of several lines may have tabs and line ends.
"""

from typing import Annotated, Final

from msgspec import Meta

from adapters.web.params.control_characters import CONTROL

# Python's `$` also fits before a last line end, so each pattern excludes one there.
_LINE: Final = rf"^[^{CONTROL}]+(?!\n)$"
_EMAIL: Final = rf"^[^@\s{CONTROL}]+@[^@\s{CONTROL}]+\.[^@\s{CONTROL}]+(?!\n)$"
_LINES: Final = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"

EXPECTED: Final = {
    _LINE: "Expected one line of text without control characters",
    _EMAIL: "Expected an e-mail address, such as name@example.com",
    _LINES: "Expected text without control characters",
}
"""A message for each pattern."""

Line = Annotated[str, Meta(min_length=1, max_length=255, pattern=_LINE)]
Email = Annotated[str, Meta(max_length=254, pattern=_EMAIL)]
Lines = Annotated[str, Meta(max_length=10_000, pattern=_LINES)]
