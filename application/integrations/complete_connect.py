"""Take the callback of a connect flow: connect the account, or hold the code until it is confirmed.

The rule not to break: a code is exchanged only where it is proven that the person who came back is
the user who began (RFC 9700, 4.7). A flow is proven by the cookie of the browser that began it, or
by a caller who brings the key and the id of its user. Every other code is held, sealed, until that
user's session confirms it.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import msgspec

from application.integrations.begin_connect import code_bound_to
from application.integrations.connect_account import (
    ConnectAccount,
    ConnectedAccount,
    find_connected,
)
from application.integrations.consent_errors import consent_error
from application.integrations.store_integration import HELD_FOR, LONG_EXPIRED
from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.ports.storage.connect_attempts import ConnectAttempt
from application.ports.storage.unit_of_work import Storage, UnitOfWork
from application.ports.vault import Vault
from application.security.hashing import digest
from domain.errors import ConnectStateInvalid, ConnectUnconfirmable, InvalidInput, SlotkeeperError
from domain.ids import UserId
from domain.secret import Secret


class Callback(msgspec.Struct, frozen=True):
    """A browser that came back from the consent page.

    Args:
        state: as Calendly echoed it.
        code: the authorization code, unless there is an error.
        error: the error code that the consent page answered with instead of a code.
        browser_token: the cookie of the browser that came back.
        user_id: the user of the caller, if the caller proved who it is.
        takes_handle: whether the caller is a program, which can read a handle from the response.

    """

    state: str | None
    code: str | None
    error: str | None = None
    browser_token: str | None = None
    user_id: UserId | None = None
    takes_handle: bool = False


class HeldCode(msgspec.Struct, frozen=True):
    """A code that waits for its confirmation.

    Args:
        handle: names it, once.
        expires_at: until when it can be confirmed (UTC).

    """

    handle: Secret
    expires_at: datetime


class ConnectOutcome(msgspec.Struct, frozen=True):
    """The end of a callback with a good state: one of an account, a held code, an error.

    Args:
        return_to: where to send the browser, or None.

    """

    return_to: str | None = None
    connected: ConnectedAccount | None = None
    held: HeldCode | None = None
    error: SlotkeeperError | None = None


class _Taken(NamedTuple):
    """A flow that this callback has taken, with its code."""

    attempt: ConnectAttempt
    code: Secret


@dataclass(frozen=True, kw_only=True)
class CompleteConnect:
    """Takes the callback.

    Args:
        confirms: whether a flow that carries no proof of its own has to be confirmed.

    """

    storage: Storage
    vault: Vault
    clock: Clock
    randomness: Randomness
    connect_account: ConnectAccount
    confirms: bool

    async def __call__(self, callback: Callback) -> ConnectOutcome:
        """Complete the flow that `state` names, or hold its code.

        A flow that connected an account answers so again until it expires, without any effect.

        Raises:
            ConnectStateInvalid: unknown, failed, held, expired, another browser's or another
                user's; the right browser and user may still come.

        """
        taken = await self._take(callback)
        if isinstance(taken, ConnectOutcome):
            return taken
        return_to = taken.attempt.return_to
        try:
            connected = await self.connect_account(taken.attempt, taken.code)
        except SlotkeeperError as failure:
            return ConnectOutcome(return_to, error=failure)
        return ConnectOutcome(return_to, connected)

    async def _take(self, callback: Callback) -> _Taken | ConnectOutcome:
        """Take the flow, but only for its own user and browser: others do not use it up."""
        async with self.storage() as uow:
            attempt = await uow.connect_attempts.find(digest(callback.state or ""))
            if attempt is None or not self._is_good(attempt, callback):
                raise _invalid()
            if attempt.connected_id is not None:
                return await _again(uow, attempt)
            if self._holds(attempt, callback):
                return await self._hold(uow, attempt, Secret(callback.code or ""))
            attempt = await uow.connect_attempts.take(attempt.state_hash)
            await uow.commit()
        if attempt is None:
            raise _invalid()
        failure = self._failure(attempt, callback)
        if failure is not None:
            return ConnectOutcome(attempt.return_to, error=failure)
        return _Taken(attempt, Secret(callback.code or ""))

    def _is_good(self, attempt: ConnectAttempt, callback: Callback) -> bool:
        return (
            not attempt.is_held
            and (attempt.connected_until or attempt.expires_at) > self.clock.now()
            and _same_browser(attempt, callback.browser_token)
            and callback.user_id in {None, attempt.user_id}
        )

    def _holds(self, attempt: ConnectAttempt, callback: Callback) -> bool:
        return (
            callback.error is None
            and bool(callback.code)
            and self._unproven(attempt, callback)
            and _can_confirm(attempt, callback)
        )

    def _unproven(self, attempt: ConnectAttempt, callback: Callback) -> bool:
        """Whether only a confirmation can show that the person who came back is who began."""
        return self.confirms and attempt.browser_hash is None and callback.user_id is None

    def _failure(self, attempt: ConnectAttempt, callback: Callback) -> SlotkeeperError | None:
        """Return the error of a callback whose code is not exchanged."""
        if callback.error is not None:
            return consent_error(callback.error)
        if not callback.code:
            return InvalidInput("The callback carries neither a code nor an error.")
        if self._unproven(attempt, callback):
            return ConnectUnconfirmable(
                "Nothing was connected: this link names no address of the application, which has "
                "to confirm the connection. Start again from your application, which begins with "
                "return_to."
            )
        return None

    async def _hold(
        self, uow: UnitOfWork, attempt: ConnectAttempt, code: Secret
    ) -> ConnectOutcome:
        handle, now = self.randomness.token(), self.clock.now()
        held = msgspec.structs.replace(
            attempt,
            expires_at=now - LONG_EXPIRED,
            sealed_code=self.vault.seal(code, code_bound_to(attempt.state_hash)),
            handle_hash=digest(handle),
        )
        until = now + HELD_FOR
        if not await uow.connect_attempts.hold(held, now, until):
            raise _invalid()
        await uow.commit()
        return ConnectOutcome(attempt.return_to, held=HeldCode(Secret(handle), until))


def _can_confirm(attempt: ConnectAttempt, callback: Callback) -> bool:
    """Whether the handle reaches the application; it is never shown to a person to pass on."""
    return attempt.return_to is not None or callback.takes_handle


async def _again(uow: UnitOfWork, attempt: ConnectAttempt) -> ConnectOutcome:
    connected = await find_connected(uow, attempt)
    if connected is None:
        raise _invalid()
    return ConnectOutcome(attempt.return_to, connected)


def _invalid() -> ConnectStateInvalid:
    return ConnectStateInvalid(
        "This connect link was used already, has expired or belongs to another user; "
        "start again from your application."
    )


def _same_browser(attempt: ConnectAttempt, browser_token: str | None) -> bool:
    if attempt.browser_hash is None:
        return True
    return browser_token is not None and hmac.compare_digest(
        digest(browser_token), attempt.browser_hash
    )
