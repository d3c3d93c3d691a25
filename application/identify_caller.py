"""Who calls, and for which of the team's users."""

from application.digests import digest
from application.ports.clock import Clock
from application.ports.entropy import Entropy
from application.ports.unit_of_work import Storage, UnitOfWork
from domain.errors import ApiKeyInvalid, InvalidInput
from domain.ids import UserId

LONGEST_EXTERNAL_ID = 255


class IdentifyCaller:
    """Checks API keys by their hash, so that neither a look nor the time it takes leaks one."""

    def __init__(self, *, storage: Storage, entropy: Entropy, clock: Clock) -> None:
        self._storage = storage
        self._entropy = entropy
        self._clock = clock

    async def __call__(self, api_key: str | None, external_id: str | None) -> UserId:
        """Return the user that a program with a good key acts for; created on first sight.

        Raises:
            ApiKeyInvalid: missing, unknown or revoked key.
            InvalidInput: no user named, or an id that cannot be one.

        """
        async with self._storage() as uow:
            await self._check(uow, api_key)
            user_id = await self._user(uow, external_id)
            await uow.commit()
        return user_id

    async def authenticate(self, api_key: str | None) -> None:
        """Check the key alone. Raises ApiKeyInvalid."""
        async with self._storage() as uow:
            await self._check(uow, api_key)

    async def named(self, external_id: str) -> UserId:
        """Return the user with the team's own id, without a key: for the demo user only."""
        async with self._storage() as uow:
            user_id = await self._user(uow, external_id)
            await uow.commit()
        return user_id

    async def _check(self, uow: UnitOfWork, api_key: str | None) -> None:
        known = await uow.api_keys.find(digest(api_key)) if api_key else None
        if known is None:
            raise ApiKeyInvalid(
                "Send a live API key as `Authorization: Bearer <key>`; "
                "`slotkeeper keys create` makes one."
            )

    async def _user(self, uow: UnitOfWork, external_id: str | None) -> UserId:
        if external_id is None or not external_id.strip():
            raise InvalidInput("Name the user you act for in the X-User-Id header.")
        if len(external_id) > LONGEST_EXTERNAL_ID or not external_id.isprintable():
            raise InvalidInput(
                f"X-User-Id must be printable and at most {LONGEST_EXTERNAL_ID} characters."
            )
        new_id = UserId(self._entropy.new_id())
        return await uow.users.ensure(external_id, new_id, self._clock.now())
