"""Codes and token pairs: issue, exchange, rotate, revoke.

A refresh token is single-use: the moment its successor is issued it is dead (Calendly:
refresh-token rotation). One grant is one user's consent to one app.
"""

from datetime import datetime, timedelta
from enum import Enum

import msgspec

from sandbox import ids
from sandbox.clock import Clock
from sandbox.ledger import Counters, IssuedSecrets
from sandbox.oauth.apps import App
from sandbox.oauth.errors import OAuthError
from sandbox.oauth.pkce import verifies
from sandbox.state.directory import User
from sandbox.switches import Switches

CODE_LIFE = timedelta(minutes=10)
ACCESS_TOKEN_LIFE = timedelta(seconds=7200)


class Grant(msgspec.Struct, eq=False, kw_only=True):
    """The permission of one user for one app, and every pair issued for it."""

    uuid: str
    app: App
    user: User
    scopes: tuple[str, ...]
    created_at: datetime
    pairs: list["TokenPair"] = msgspec.field(default_factory=list)


class TokenPair(msgspec.Struct, eq=False, kw_only=True):
    """An access token and the refresh token issued with it."""

    access: str
    refresh: str
    grant: Grant
    created_at: datetime
    expires_at: datetime
    parent: "TokenPair | None" = None
    spent: bool = False
    access_revoked: bool = False
    refresh_revoked: bool = False
    shown_again: int = 0


class Code(msgspec.Struct, eq=False, kw_only=True):
    """An authorization code, good once and for ten minutes."""

    value: str
    app: App
    user: User
    redirect_uri: str
    scopes: tuple[str, ...]
    challenge: str | None
    challenge_method: str
    expires_at: datetime
    used: bool = False


class Verdict(Enum):
    """The verdict on an access token; the value is Calendly's 401 message."""

    VALID = "valid"
    INVALID = "The access token is invalid"
    EXPIRED = "The access token expired"
    REVOKED = "The access token was revoked"


class Grants:
    """All apps, codes, grants and pairs."""

    def __init__(
        self, clock: Clock, switches: Switches, issued: IssuedSecrets, counters: Counters
    ) -> None:
        self._clock = clock
        self._switches = switches
        self._issued = issued
        self._counters = counters
        self.apps: dict[str, App] = {}
        self.codes: dict[str, Code] = {}
        self.by_access: dict[str, TokenPair] = {}
        self.by_refresh: dict[str, TokenPair] = {}
        self._by_user: dict[str, list[Grant]] = {}

    def add_app(self, app: App) -> None:
        """Enter a developer app; one with the same client id is replaced."""
        self.apps[app.client_id] = app
        self._issued.signing_keys[app.signing_key] = None
        if app.client_secret is not None:
            self._issued.client_secrets[app.client_secret] = None

    def of(self, user: User) -> list[Grant]:
        """The user's grants, oldest first."""
        return self._by_user.get(user.uuid, [])

    def issue_code(self, code: Code) -> None:
        """Enter a fresh code."""
        self.codes[code.value] = code
        self._issued.codes.append(code.value)

    def open_grant(self, app: App, user: User, scopes: tuple[str, ...]) -> TokenPair:
        """A new grant with its first pair."""
        now = self._clock.now()
        grant = Grant(uuid=ids.fresh_id(), app=app, user=user, scopes=scopes, created_at=now)
        self._by_user.setdefault(user.uuid, []).append(grant)
        return self._issue(grant, None)

    def exchange(
        self, app: App, value: str, redirect_uri: str | None, verifier: str | None
    ) -> TokenPair:
        """Trade a code for the first pair of a new grant.

        Raises OAuthError `invalid_grant` for a code that is unknown, used, older than ten
        minutes, another app's or another redirect's, or whose PKCE proof fails.
        """
        code = self.codes.get(value)
        if code is None or code.app is not app or code.used:
            raise self._invalid_grant()
        if code.redirect_uri != redirect_uri or self._clock.now() >= code.expires_at:
            raise self._invalid_grant()
        if not verifies(verifier, code.challenge, code.challenge_method):
            raise self._invalid_grant()
        code.used = True
        return self.open_grant(app, code.user, code.scopes)

    def refresh(self, app: App, value: str) -> TokenPair:
        """Trade a live refresh token for a new pair; the old one becomes invalid immediately.

        Raises OAuthError `invalid_grant` for any other token; a spent one is counted.
        """
        pair = self.by_refresh.get(value)
        if pair is None or pair.grant.app is not app or pair.refresh_revoked:
            raise self._invalid_grant()
        if pair.spent:
            self._counters.refresh_reuse += 1
            pair.shown_again += 1
            if self._switches.refresh_replay_revokes_family:
                self.revoke_grant(pair.grant)
            raise self._invalid_grant()
        self.note_use(pair)
        if self._switches.refresh_rotation == "immediate":
            pair.spent = True
        if self._switches.refresh_kills_access_token:
            pair.access_revoked = True
        return self._issue(pair.grant, pair)

    def note_use(self, pair: TokenPair) -> None:
        """A pair is being used: under `until_first_use` its parent dies now."""
        if pair.parent is not None:
            pair.parent.spent = True
            pair.parent = None

    def verdict(self, access: str | None) -> tuple[Verdict, TokenPair | None]:
        """Return the verdict on an access token, and its pair if known."""
        pair = self.by_access.get(access or "")
        if pair is None:
            return Verdict.INVALID, None
        if pair.access_revoked:
            return Verdict.REVOKED, pair
        if self._clock.now() >= pair.expires_at:
            return Verdict.EXPIRED, pair
        return Verdict.VALID, pair

    def honours(self, pair: TokenPair) -> bool:
        """Whether the pair's refresh token would be exchanged if it were shown now."""
        return not (pair.spent or pair.refresh_revoked)

    def revoke_pair(self, pair: TokenPair) -> None:
        """Both tokens of one pair die (RFC 7009 on a `doorkeeper` row)."""
        pair.access_revoked = pair.refresh_revoked = True

    def revoke_grant(self, grant: Grant) -> None:
        """The user disconnects the app: every pair of the grant dies."""
        for pair in grant.pairs:
            self.revoke_pair(pair)

    def _issue(self, grant: Grant, parent: TokenPair | None) -> TokenPair:
        now = self._clock.now()
        expires = now + ACCESS_TOKEN_LIFE
        access = ids.access_token(
            grant.user.uuid, grant.app.client_id, int(now.timestamp()), int(expires.timestamp())
        )
        waiting = parent if self._switches.refresh_rotation == "until_first_use" else None
        pair = TokenPair(
            access=access,
            refresh=ids.opaque_token(),
            grant=grant,
            created_at=now,
            expires_at=expires,
            parent=waiting,
        )
        grant.pairs.append(pair)
        self.by_access[pair.access] = pair
        self.by_refresh[pair.refresh] = pair
        self._issued.access_tokens.append(pair.access)
        self._issued.refresh_tokens.append(pair.refresh)
        return pair

    def _invalid_grant(self) -> OAuthError:
        return OAuthError("invalid_grant", self._switches.invalid_grant_status)
