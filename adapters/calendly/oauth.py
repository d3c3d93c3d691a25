"""Calendly's OAuth host: consent address, exchange, refresh, revoke.

The rule not to break: no request here is ever repeated, because a refresh token dies with the
first request that Calendly processes. Every doubt is reported as CalendlyUncertain. A grant is
given up for `invalid_grant` alone; every other response leaves the account as it is.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from urllib.parse import quote, urlencode

import httpx

from adapters.calendly.errors import Call, throttled, transport_failure, unreadable
from adapters.calendly.http import DEADLINE, send_and_wait
from adapters.calendly.rate_budget import Allowance, RateBudget
from adapters.calendly.rate_headers import rate_state, retry_after
from adapters.calendly.translation.tokens import first_pair, next_pair
from adapters.calendly.wire.decoding import Unreadable, decode
from adapters.calendly.wire.errors import OAuthError
from adapters.calendly.wire.tokens import TokenAnswer, read_token_answer
from application.ports.clock import Clock
from domain.errors import (
    CalendlyError,
    CalendlyProtocolError,
    CalendlyRejected,
    CalendlyUnavailable,
    CalendlyUncertain,
    ClientRefused,
    GrantRefused,
)
from domain.secret import Secret
from domain.token import REQUESTED_SCOPES, TokenPair

_TOKEN = "/oauth/token"  # noqa: S105 - a path
_REVOKE = "/oauth/revoke"
_FORM_HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}
# RFC 7009, 2.2: revoking what is not valid any more is not an error, yet Calendly documents 400.
_DEAD_ALREADY = frozenset({"invalid_grant", "invalid_token"})
# A refresh token dies with the first processed request, so a 5xx matters by whether the request
# was processed. These statuses are sent in front of the application: overload
# or maintenance (RFC 9110, 15.6.4), and Cloudflare's "web server is down", "origin unreachable",
# "TLS handshake failed", "invalid certificate". Every other 5xx may follow a rotation that was
# already stored: 500 while rendering, 502 and 504 when the gateway lost the answer.
_NOT_PROCESSED = frozenset({503, 521, 523, 525, 526})

_BY_ERROR: dict[str, tuple[type[CalendlyError], str]] = {
    "invalid_grant": (GrantRefused, "the code or token is spent, revoked or unknown"),
    "invalid_client": (
        ClientRefused,
        "check CALENDLY_CLIENT_ID and CALENDLY_CLIENT_SECRET",
    ),
    "unauthorized_client": (
        ClientRefused,
        "check CALENDLY_CLIENT_ID and CALENDLY_CLIENT_SECRET",
    ),
    "invalid_request": (CalendlyRejected, "the request is not complete"),
    "invalid_scope": (CalendlyRejected, "a scope is unknown"),
    "unsupported_grant_type": (CalendlyRejected, "the grant type is not supported"),
}


class CalendlyOAuthGateway:
    """Implements `CalendlyOAuth` for a confidential web app.

    Args:
        client: from `open_http`; stays the caller's to close.
        auth_url: for example `https://auth.calendly.com`.
        client_id: of our app at Calendly.
        client_secret: of our app at Calendly.
        clock: the time.
        budget: holds each user to 8 token requests a minute.
        deadline: seconds for one request and its whole answer.

    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        auth_url: str,
        client_id: str,
        client_secret: Secret,
        clock: Clock,
        budget: RateBudget,
        deadline: float = DEADLINE,
    ) -> None:
        self._client = client
        self._url = auth_url.rstrip("/")
        self._token_url = httpx.URL(self._url + _TOKEN)
        self._revoke_url = httpx.URL(self._url + _REVOKE)
        self._client_id = client_id
        self._client_secret = client_secret
        self._authorization = _basic(client_id, client_secret)
        self._clock = clock
        self._budget = budget
        self._deadline = deadline

    @property
    def client_id(self) -> str:
        return self._client_id

    def authorize_url(self, *, state: str, challenge: str, redirect_uri: str) -> str:
        """Return the address of the consent page (RFC 6749, 4.1.1; RFC 7636, 4.3)."""
        query = {
            "client_id": self._client_id,
            "response_type": "code",
            "redirect_uri": redirect_uri,
            "scope": " ".join(REQUESTED_SCOPES),
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{self._url}/oauth/authorize?{urlencode(query, quote_via=quote)}"

    async def exchange_code(
        self, *, code: Secret, verifier: Secret, redirect_uri: str
    ) -> TokenPair:
        form = {
            "grant_type": "authorization_code",
            "code": code.reveal(),
            "redirect_uri": redirect_uri,
            "code_verifier": verifier.reveal(),
        }
        return await self._tokens(form, first_pair, user_uri=None)

    async def refresh(self, refresh: Secret, *, user_uri: str) -> TokenPair:
        """Exchange a refresh token for the next pair; on success the old one is dead."""
        self._budget.spend(Allowance.TOKENS, user_uri)
        form = {"grant_type": "refresh_token", "refresh_token": refresh.reveal()}
        following = partial(next_pair, refresh=refresh, user_uri=user_uri)
        return await self._tokens(form, following, user_uri=user_uri)

    async def revoke(self, token: Secret) -> None:
        """Revoke a token; one that is dead already counts as revoked."""
        call = Call("POST", _REVOKE, effects=True)
        form = {
            "client_id": self._client_id,
            "client_secret": self._client_secret.reveal(),
            "token": token.reveal(),
        }
        response = await self._send(call, self._form(self._revoke_url, form))
        if response.is_success:
            return
        refused = (
            response.is_client_error and response.status_code != httpx.codes.TOO_MANY_REQUESTS
        )
        if not (refused and _read_error(response) in _DEAD_ALREADY):
            raise _oauth_error(call, response)

    async def _tokens(
        self,
        form: Mapping[str, str],
        to_pair: Callable[[TokenAnswer, datetime], TokenPair],
        *,
        user_uri: str | None,
    ) -> TokenPair:
        call = Call("POST", _TOKEN, effects=True)
        # Counted from before the request, a token is taken for dead rather too early than late.
        asked_at = self._clock.now()
        request = self._form(self._token_url, form)
        request.headers["Authorization"] = self._authorization.reveal()
        response = await self._send(call, request)
        if user_uri is not None:
            self._learn(user_uri, response)
        if response.status_code != httpx.codes.OK:
            raise _oauth_error(call, response)
        try:
            return to_pair(read_token_answer(response.content), asked_at)
        except Unreadable as fault:
            raise unreadable(call, response.status_code, fault.field) from None

    def _form(self, url: httpx.URL, form: Mapping[str, str]) -> httpx.Request:
        return self._client.build_request(
            "POST", url, content=urlencode(form), headers=_FORM_HEADERS
        )

    async def _send(self, call: Call, request: httpx.Request) -> httpx.Response:
        try:
            return await send_and_wait(self._client, request, deadline=self._deadline)
        except httpx.HTTPError as failure:
            raise transport_failure(call, failure) from None

    def _learn(self, user_uri: str, response: httpx.Response) -> None:
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            self._budget.pause(Allowance.TOKENS, user_uri, retry_after(response.headers))
        elif (state := rate_state(response.headers)) is not None:
            self._budget.learn(Allowance.TOKENS, user_uri, state)


def _basic(client_id: str, client_secret: Secret) -> Secret:
    """Return the header that says who we are (RFC 7617)."""
    auth = httpx.BasicAuth(client_id, client_secret.reveal())
    signed = next(auth.auth_flow(httpx.Request("POST", "https://calendly.invalid")))
    return Secret(str(signed.headers["Authorization"]))


def _read_error(response: httpx.Response) -> str:
    """Return the error code (RFC 6749, 5.2) of a refusal, or an empty text."""
    try:
        return decode(response.content, OAuthError).error
    except Unreadable:
        return ""


def _oauth_error(call: Call, response: httpx.Response) -> CalendlyError:
    status = response.status_code
    text = f"{call}: Calendly answered {status}"
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return throttled(call, retry_after(response.headers))
    if status in _NOT_PROCESSED:
        return CalendlyUnavailable(f"{text}.")
    if status >= 500 or 200 <= status < 300:  # noqa: PLR2004 - HTTP's own classes
        return CalendlyUncertain(f"{text}; the request may have been processed.")
    error = _read_error(response)
    if status in {400, 401, 403} and error in _BY_ERROR:
        meaning, remedy = _BY_ERROR[error]
        return meaning(f"{text} ({error}): {remedy}.")
    return CalendlyProtocolError(f"{text} in a way it does not document.")
