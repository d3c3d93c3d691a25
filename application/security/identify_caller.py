"""The caller, its rights, and the team's user it calls for."""

from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.ports.storage.caller_lookup import Caller
from application.ports.storage.unit_of_work import Storage
from application.security.hashing import digest
from application.security.key_usage import KeyUsage
from domain.api_key import ALL, KeyScope, is_within
from domain.errors import ApiKeyInvalid, InvalidInput, KeyNetworkRefused, KeyScopeMissing
from domain.ids import UserId

LONGEST_EXTERNAL_ID = 255


class Credentials(NamedTuple):
    """How a program presents itself.

    Args:
        api_key: as it was sent, or None.
        address: of the client, by the word of a trusted proxy only; None where it has none.

    """

    api_key: str | None
    address: str | None = None


@dataclass(frozen=True, kw_only=True)
class IdentifyCaller:
    """Checks API keys by their hash, so that neither a look nor the time it takes leaks one."""

    storage: Storage
    randomness: Randomness
    clock: Clock
    usage: KeyUsage

    async def __call__(
        self,
        credentials: Credentials,
        external_id: str | None,
        needs: frozenset[KeyScope],
        *,
        creates: bool = False,
    ) -> tuple[UserId, UUID]:
        """Return the user that a program with a good key acts for, and the id of the key.

        A user exists from their first connect on. Until then the id is a new one, which nothing
        in the store has.

        Args:
            credentials: the key and the client's address.
            external_id: the team's own id of the user.
            needs: scopes; the key must have one of them.
            creates: whether the user exists from now on.

        Raises:
            ApiKeyInvalid: missing, unknown, expired or revoked key.
            KeyNetworkRefused: used outside its networks.
            KeyScopeMissing: none of the scopes.
            InvalidInput: no user named, or an id that cannot be one.

        """
        wrong = _misnamed(external_id)
        caller = await self._caller(credentials, None if wrong else external_id, needs)
        if wrong or external_id is None:
            raise InvalidInput(wrong)
        if caller.user_id is not None:
            return caller.user_id, caller.key_id
        if creates:
            return await self.named(external_id), caller.key_id
        return UserId(self.randomness.new_id()), caller.key_id

    async def authenticate(self, credentials: Credentials, needs: frozenset[KeyScope]) -> UUID:
        """Check the key alone; return its id. Raises as `__call__`, except InvalidInput."""
        return (await self._caller(credentials, None, needs)).key_id

    async def named(self, external_id: str) -> UserId:
        """Return the user with the team's own id, created on first sight, without a key.

        Raises InvalidInput.
        """
        if wrong := _misnamed(external_id):
            raise InvalidInput(wrong)
        async with self.storage() as uow:
            new_id = UserId(self.randomness.new_id())
            user_id = await uow.users.ensure(external_id, new_id, self.clock.now())
            await uow.commit()
        return user_id

    async def _caller(
        self, credentials: Credentials, external_id: str | None, needs: frozenset[KeyScope]
    ) -> Caller:
        api_key = credentials.api_key
        callers = self.storage.callers()
        known = await callers.find(digest(api_key), external_id) if api_key else None
        if known is None:
            raise ApiKeyInvalid(
                "Send a live API key as `Authorization: Bearer <key>`; "
                "`slotkeeper keys create` makes one."
            )
        if not is_within(credentials.address, known.networks):
            raise KeyNetworkRefused("This API key does not work from the client's address.")
        if not needs & (ALL if known.scopes is None else known.scopes):
            needed = " or ".join(sorted(needs))
            raise KeyScopeMissing(
                f"The API key needs the scope {needed}; `slotkeeper keys create --scope` makes one."
            )
        self.usage.note(known.key_id, self.clock.now())
        return known


def _misnamed(external_id: str | None) -> str:
    """Return what is wrong with the id of a user; nothing is the empty string."""
    if external_id is None or not external_id.strip():
        return "Name the user you act for in the X-User-Id header."
    if len(external_id) > LONGEST_EXTERNAL_ID:
        return f"X-User-Id must have at most {LONGEST_EXTERNAL_ID} characters."
    if not (external_id.isascii() and external_id.isprintable()):
        return "X-User-Id must be visible ASCII."
    if external_id != external_id.strip():
        return "X-User-Id must not begin or end with a blank."
    return ""
