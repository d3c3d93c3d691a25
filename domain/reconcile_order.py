"""The order in which integrations are compared: the least recently compared first.

A comparison that ends moves its integration behind all others, and one that fails leaves it in
front. So a walk goes on after the last integration that it has taken, and takes none twice.
"""

from datetime import datetime
from typing import Self
from uuid import UUID

import msgspec

from domain.ids import IntegrationId

_NEVER = "never"


class Place(msgspec.Struct, frozen=True):
    """How far a walk has come.

    Args:
        began_at: when it began (UTC). Integrations compared since are left out.
        after: the last integration that was taken, or None.
        compared_at: when that one had last been compared (UTC), or None if never.

    """

    began_at: datetime
    after: IntegrationId | None = None
    compared_at: datetime | None = None

    @classmethod
    def read(cls, cursor: str | None, now: datetime) -> Self:
        """Return the place that a cursor names; a new walk for one of an earlier version."""
        parts = (cursor or "").split()
        if len(parts) != len(cls.__struct_fields__):
            return cls(now)
        began_at, compared_at, after = parts
        return cls(
            datetime.fromisoformat(began_at),
            IntegrationId(UUID(after)),
            None if compared_at == _NEVER else datetime.fromisoformat(compared_at),
        )

    def written(self) -> str | None:
        """Return the place as a cursor; None before the first integration."""
        if self.after is None:
            return None
        compared_at = self.compared_at.isoformat() if self.compared_at else _NEVER
        return f"{self.began_at.isoformat()} {compared_at} {self.after}"
