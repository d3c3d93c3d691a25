"""The caller, and the team's user it calls for."""

from dataclasses import dataclass

from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.ports.storage.caller_lookup import Caller
from application.ports.storage.unit_of_work import Storage
from application.security.hashing import digest
from domain.errors import ApiKeyInvalid, InvalidInput
from domain.ids import UserId

LONGEST_EXTERNAL_ID = 255


@dataclass(frozen=True, kw_only=True)
class IdentifyCaller:
    """Checks API keys by their hash, so that neither a look nor the time it takes leaks one."""

    storage: Storage
    randomness: Randomness
    clock: Clock

    async def __call__(self, api_key: str | None, external_id: str | None) -> UserId:
        """Return the user that a program with a good key acts for; created on first sight.

        Raises:
            ApiKeyInvalid: missing, unknown or revoked key.
            InvalidInput: no user named, or an id that cannot be one.

        """
        wrong = _misnamed(external_id)
        caller = await self._caller(api_key, None if wrong else external_id)
        if wrong or external_id is None:
            raise InvalidInput(wrong)
        return caller.user_id or await self.named(external_id)

    async def authenticate(self, api_key: str | None) -> None:
        """Check the key alone. Raises ApiKeyInvalid."""
        await self._caller(api_key, None)

    async def named(self, external_id: str) -> UserId:
        """Return the user with the team's own id, without a key.

        Raises InvalidInput.
        """
        if wrong := _misnamed(external_id):
            raise InvalidInput(wrong)
        async with self.storage() as uow:
            new_id = UserId(self.randomness.new_id())
            user_id = await uow.users.ensure(external_id, new_id, self.clock.now())
            await uow.commit()
        return user_id

    async def _caller(self, api_key: str | None, external_id: str | None) -> Caller:
        callers = self.storage.callers()
        known = await callers.find(digest(api_key), external_id) if api_key else None
        if known is None:
            raise ApiKeyInvalid(
                "Send a live API key as `Authorization: Bearer <key>`; "
                "`slotkeeper keys create` makes one."
            )
        return known


def _misnamed(external_id: str | None) -> str:
    """Return what is wrong with the id of a user; nothing is the empty string."""
    if external_id is None or not external_id.strip():
        return "Name the user you act for in the X-User-Id header."
    if len(external_id) > LONGEST_EXTERNAL_ID or not external_id.isprintable():
        return f"X-User-Id must be printable and at most {LONGEST_EXTERNAL_ID} characters."
    return ""
