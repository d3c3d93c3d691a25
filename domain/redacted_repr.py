"""Discreet: values that hold personal data show only what is harmless.

The rule not to break: `shown` names identities, times and codes, never a name, an e-mail, a text
that a person wrote, or a body.
"""

from typing import Any, ClassVar


class RedactedRepr:
    """Mix in before `msgspec.Struct`; the representation shows the fields of `shown` alone."""

    __slots__ = ()
    shown: ClassVar[tuple[str, ...]] = ()

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.shown)
        return f"{type(self).__name__}({fields})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [(name, getattr(self, name)) for name in self.shown]
