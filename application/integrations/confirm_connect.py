"""Confirm a connect flow at its end: only the user who began gets the account of who came back.

A connect link can be passed on. Its sender began the flow, and another person consents. The handle
reaches the session of that person, so a confirmation for that session names another user. The code
is then thrown away, and no grant is made at Calendly.
"""

from dataclasses import dataclass

from application.integrations.begin_connect import code_bound_to
from application.integrations.connect_account import (
    ConnectAccount,
    ConnectedAccount,
    find_connected,
)
from application.ports.clock import Clock
from application.ports.storage.connect_attempts import ConnectAttempt
from application.ports.storage.unit_of_work import Storage
from application.ports.telemetry import Telemetry
from application.ports.vault import Vault
from application.security.hashing import digest
from domain.errors import ConnectHandleInvalid, SlotkeeperError
from domain.ids import UserId


@dataclass(frozen=True, kw_only=True)
class ConfirmConnect:
    """Exchanges a held code for the user who began its flow. Every other call throws it away."""

    storage: Storage
    vault: Vault
    clock: Clock
    telemetry: Telemetry
    connect_account: ConnectAccount

    async def __call__(self, user_id: UserId, handle: str) -> ConnectedAccount:
        """Confirm.

        A confirmation that is repeated within two minutes has the same answer and no effect.

        Args:
            user_id: the user whose session received the handle.
            handle: as the browser brought it.

        Raises:
            ConnectHandleInvalid: unknown, used, expired or another user's; nothing is stored, and
                the code of this handle is gone.
            SlotkeeperError: as `ConnectAccount`; nothing is stored, and the code is used up.

        """
        handle_hash = digest(handle)
        async with self.storage() as uow:
            attempt = await uow.connect_attempts.take_held(handle_hash, self.clock.now())
            await uow.commit()
        if attempt is None:
            return await self._again(user_id, handle_hash)
        if attempt.user_id != user_id or attempt.sealed_code is None:
            raise self._refused("another_user")
        try:
            code = self.vault.open(attempt.sealed_code, code_bound_to(attempt.state_hash))
            connected = await self.connect_account(attempt, code)
        except SlotkeeperError:
            self.telemetry.connect_confirmation("failed")
            raise
        self.telemetry.connect_confirmation("confirmed")
        return connected

    async def _again(self, user_id: UserId, handle_hash: bytes) -> ConnectedAccount:
        async with self.storage() as uow:
            attempt = await uow.connect_attempts.find_confirmed(handle_hash)
            connected = None if attempt is None else await find_connected(uow, attempt)
        if attempt is None or connected is None or not self._is_answered(attempt):
            raise self._refused("unknown_handle")
        if attempt.user_id != user_id:
            raise self._refused("another_user")
        self.telemetry.connect_confirmation("repeated")
        return connected

    def _is_answered(self, attempt: ConnectAttempt) -> bool:
        until = attempt.connected_until
        return until is not None and until > self.clock.now()

    def _refused(self, reason: str) -> ConnectHandleInvalid:
        self.telemetry.connect_confirmation(reason)
        return ConnectHandleInvalid(
            "This connect flow was confirmed already, has expired or was begun by another user; "
            "start again from your application."
        )
