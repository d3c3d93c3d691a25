"""The team's users, under the team's own ids."""

from datetime import datetime
from typing import Protocol

from domain.ids import UserId


class Users(Protocol):
    """Users exist from the moment that a caller first names them."""

    async def ensure(self, external_id: str, new_id: UserId, now: datetime) -> UserId:
        """Return the user with the team's own id, created as `new_id` when first seen."""
        ...
