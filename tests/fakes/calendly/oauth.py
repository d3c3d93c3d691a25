"""The fake's OAuth host: PKCE, ten-minute codes, single-use refresh tokens."""

import base64
import hashlib
from datetime import timedelta
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from domain.errors import CalendlyThrottled, GrantRefused
from domain.secret import Secret
from domain.token import REQUESTED_SCOPES, REQUIRED_SCOPES, Access, TokenPair, parse_scopes
from tests.fakes.calendly.world import AccessRecord, Code, Grant, World

_LIFE = timedelta(hours=2)
_CODE_LIFE = timedelta(minutes=10)
_MINUTE = timedelta(minutes=1)


class OAuthSide(World):
    """Implements `CalendlyOAuth`."""

    client_id = "fake-client"

    def authorize_url(self, *, state: str, challenge: str, redirect_uri: str) -> str:
        """Return the consent page's address."""
        query = {
            "client_id": "fake-client",
            "response_type": "code",
            "redirect_uri": redirect_uri,
            "scope": " ".join(REQUESTED_SCOPES),
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"https://auth.calendly.com/oauth/authorize?{urlencode(query, quote_via=quote)}"

    def consent(
        self, authorize_url: str, user_uri: str, scopes: tuple[str, ...] | None = None
    ) -> Secret:
        """Do what a user does on the consent page; return the code of the redirect.

        Args:
            authorize_url: what `authorize_url` returned.
            user_uri: who consents.
            scopes: what they leave ticked; None means everything asked for.

        """
        query = {
            name: values[0] for name, values in parse_qs(urlsplit(authorize_url).query).items()
        }
        code = f"fake-code-{self.number()}"
        self.codes[code] = Code(
            user_uri=user_uri,
            scopes=parse_scopes(query["scope"]) if scopes is None else scopes,
            challenge=query["code_challenge"],
            redirect_uri=query["redirect_uri"],
            expires_at=self.clock.now() + _CODE_LIFE,
        )
        return Secret(code)

    async def exchange_code(
        self, *, code: Secret, verifier: Secret, redirect_uri: str
    ) -> TokenPair:
        """Exchange a code once."""
        async with self.call("exchange_code"):
            record = self.codes.get(code.reveal())
            if (
                record is None
                or record.used
                or record.expires_at <= self.clock.now()
                or record.redirect_uri != redirect_uri
                or record.challenge != _s256(verifier.reveal())
            ):
                raise GrantRefused("The code is spent, expired or does not match.")
            record.used = True
            return self.grant(record.user_uri, record.scopes)

    async def refresh(self, refresh: Secret, *, user_uri: str) -> TokenPair:
        """Exchange a refresh token; the old one is dead the moment this takes effect."""
        async with self.call("refresh"):
            self._count_token_request(user_uri)
            shown = refresh.reveal()
            for grant in self.grants:
                if grant.refresh == shown and not grant.revoked:
                    return self._new_pair(grant)
            raise GrantRefused("The refresh token is spent, revoked or unknown.")

    async def revoke(self, token: Secret) -> None:
        """Revoke the grant behind a token, if there is one."""
        async with self.call("revoke"):
            shown = token.reveal()
            record = self.access_tokens.get(shown)
            for grant in self.grants:
                if grant.refresh == shown or (record is not None and record.grant is grant):
                    grant.revoked = True

    def grant(self, user_uri: str, scopes: tuple[str, ...] = REQUIRED_SCOPES) -> TokenPair:
        """Return the first pair of a new grant, without the detour over the consent page."""
        grant = Grant(user_uri=user_uri, scopes=scopes, refresh="")
        self.grants.append(grant)
        return self._new_pair(grant)

    def access(self, user_uri: str, scopes: tuple[str, ...] = REQUIRED_SCOPES) -> Access:
        """Return what an API call needs, from a new grant."""
        return Access(token=self.grant(user_uri, scopes).access, user_uri=user_uri)

    def _new_pair(self, grant: Grant) -> TokenPair:
        number, now = self.number(), self.clock.now()
        grant.refresh = f"fake-refresh-{number}"
        access = f"fake-access-{number}"
        self.access_tokens[access] = AccessRecord(grant=grant, expires_at=now + _LIFE)
        account = self.accounts[grant.user_uri]
        return TokenPair(
            access=Secret(access),
            refresh=Secret(grant.refresh),
            expires_at=now + _LIFE,
            scopes=tuple(sorted(grant.scopes)),
            owner_uri=account.user_uri,
            organization_uri=account.organization_uri,
        )

    def _count_token_request(self, user_uri: str) -> None:
        now = self.clock.now()
        recent = [each for each in self.token_requests[user_uri] if each > now - _MINUTE]
        if self.tokens_per_minute is not None and len(recent) >= self.tokens_per_minute:
            raise CalendlyThrottled("Too many token requests.", retry_after=60.0)
        self.token_requests[user_uri] = [*recent, now]


def _s256(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
