"""Calls to Calendly's API: budget, send once, learn, decode, map errors.

The rule not to break: one call here sends at most one request. Every request of a user is
counted against that user's budget before it leaves.
"""

import time
from collections.abc import Callable, Mapping
from typing import Generic, NamedTuple, TypeVar

import httpx
import msgspec

from adapters.calendly import api_errors
from adapters.calendly.bounded_body import MOST_BYTES
from adapters.calendly.errors import Call, transport_failure, unreadable
from adapters.calendly.etags import etag_of, usable
from adapters.calendly.http import DEADLINE, send
from adapters.calendly.rate_budget import Allowance, RateBudget
from adapters.calendly.rate_headers import RateState, rate_state, retry_after
from adapters.calendly.uris import template
from adapters.calendly.wire.decoding import Unreadable, decode
from adapters.calendly.wire.envelopes import Collection, Resource
from adapters.calendly.wire.lenient import decode_leniently
from domain.errors import CalendlyProtocolError
from domain.token import Access

T = TypeVar("T")
Params = Mapping[str, str]

# All bound one list, so that a list without an end costs its own caller alone.
_MOST_PAGES = 200
_MOST_LIST_BYTES = 32 * 2**20  # decompressed; the first page counts as the largest that is read
_LONGEST_LIST = 60.0  # seconds for the pages after the first


class Read(NamedTuple, Generic[T]):
    """The result of a conditional read, and the tag for the next one if Calendly sent a tag."""

    value: T
    etag: str | None


class NotModified(NamedTuple):
    """A conditional read's other outcome: the tag that was named still holds."""

    etag: str


class CalendlyApi:
    """The API host, spoken to on behalf of one user a call.

    Args:
        client: from `open_http`; stays the caller's to close.
        api_url: for example `https://api.calendly.com`.
        budget: shared by everything that spends the same users' limits.
        deadline: seconds for one request and its whole answer.

    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        api_url: str,
        budget: RateBudget,
        deadline: float = DEADLINE,
    ) -> None:
        self._client = client
        self._url = api_url.rstrip("/")
        self._budget = budget
        self._deadline = deadline

    async def get(
        self, access: Access, path: str, into: type[T], params: Params | None = None
    ) -> T:
        """Return the resource or list at a path. Raises the CalendlyError family."""
        value, _ = await self._get_with_length(access, path, into, params)
        return value

    async def get_leniently(self, access: Access, path: str, into: type[Resource[T]]) -> T:
        """Return the resource at a path, without optional fields that cannot be read.

        Raises the CalendlyError family.
        """
        call = Call("GET", template(path), effects=False)
        response = await self._exchange(access, call, self._request(access, call, path))
        return _read(call, response, into, decode_leniently).resource

    async def get_if_changed(
        self, access: Access, path: str, into: type[T], params: Params, known: str | None
    ) -> Read[T] | NotModified:
        """Return the resource or list at a path, unless it is as it was (RFC 9110, 13.1.2).

        Args:
            access: on whose behalf.
            path: where it is.
            into: the wire type of the answer.
            params: the query, the same as when `known` was named.
            known: the tag of what the caller holds; one that cannot be a tag counts as none.

        Raises the CalendlyError family.

        """
        call, tag = Call("GET", template(path), effects=False), usable(known)
        request = self._request(access, call, path, params=params)
        if tag is not None:
            request.headers["If-None-Match"] = tag
        response = await self._exchange(access, call, request)
        if _is_unchanged(response):
            return NotModified(response.request.headers["If-None-Match"])
        return Read(_read(call, response, into), etag_of(response))

    async def get_all(
        self, access: Access, path: str, into: type[Collection[T]], params: Params
    ) -> list[T]:
        """Return a whole list, following every page. Raises the CalendlyError family."""
        first = await self.get(access, path, into, params)
        return await self.follow(access, path, into, params, first)

    async def follow(
        self,
        access: Access,
        path: str,
        into: type[Collection[T]],
        params: Params,
        first: Collection[T],
    ) -> list[T]:
        """Return a whole list whose first page is known. Raises the CalendlyError family."""
        items, token = list(first.collection), first.pagination.next_page_token
        used: set[str] = set()
        ends_at = time.monotonic() + _LONGEST_LIST
        length = MOST_BYTES
        while token is not None:
            if token in used or len(used) >= _MOST_PAGES - 1 or time.monotonic() > ends_at:
                raise _endless(path)
            used.add(token)
            page, page_length = await self._get_with_length(
                access, path, into, page_params(params, token)
            )
            length += page_length
            if length > _MOST_LIST_BYTES:
                raise _endless(path)
            items += page.collection
            token = page.pagination.next_page_token
        return items

    async def post(
        self,
        access: Access,
        path: str,
        body: object,
        into: type[Resource[T]],
        allowance: Allowance | None = None,
    ) -> T:
        """Create something and return it. Raises the CalendlyError family.

        Args:
            access: on whose behalf.
            path: where to.
            body: encoded as JSON.
            into: the wire type of the answer.
            allowance: the limit it spends besides the API's.

        """
        call = Call("POST", template(path), effects=True)
        request = self._request(access, call, path, json=body)
        response = await self._exchange(access, call, request, allowance=allowance)
        return _read(call, response, into).resource

    async def act(
        self,
        access: Access,
        method: str,
        path: str,
        settled: api_errors.Settled,
        body: object = None,
    ) -> None:
        """Do something whose answer says nothing more. Raises the CalendlyError family.

        Args:
            access: on whose behalf.
            method: POST or DELETE.
            path: where to.
            settled: tells a refusal that means "it is so already", which counts as done.
            body: encoded as JSON unless None.

        """
        call = Call(method, template(path), effects=True)
        request = self._request(access, call, path, json=body)
        await self._exchange(access, call, request, settled=settled)

    async def _get_with_length(
        self, access: Access, path: str, into: type[T], params: Params | None
    ) -> tuple[T, int]:
        """Return the resource or list at a path, and the bytes of its body."""
        call = Call("GET", template(path), effects=False)
        request = self._request(access, call, path, params=params)
        response = await self._exchange(access, call, request)
        return _read(call, response, into), len(response.content)

    def _request(
        self,
        access: Access,
        call: Call,
        path: str,
        *,
        params: Params | None = None,
        json: object = None,
    ) -> httpx.Request:
        headers = {"Authorization": f"Bearer {access.token.reveal()}"}
        content = None
        if json is not None:
            headers["Content-Type"] = "application/json"
            content = msgspec.json.encode(json)
        return self._client.build_request(
            call.method, self._url + path, params=params, headers=headers, content=content
        )

    async def _exchange(
        self,
        access: Access,
        call: Call,
        request: httpx.Request,
        *,
        allowance: Allowance | None = None,
        settled: api_errors.Settled | None = None,
    ) -> httpx.Response:
        if allowance is not None:
            self._budget.spend(allowance, access.user_uri)
        with self._budget.flight(access.user_uri) as flight:
            try:
                response = await send(self._client, request, deadline=self._deadline)
            except httpx.HTTPError as failure:
                raise transport_failure(call, failure) from None
            flight.learn(_general(response, allowance))
        self._pause(access, response, allowance)
        if response.is_success or _is_unchanged(response):
            return response
        body = api_errors.read_error(response)
        if settled is not None and settled(response.status_code, body):
            return response
        raise api_errors.api_error(call, response, body)

    def _pause(
        self, access: Access, response: httpx.Response, allowance: Allowance | None
    ) -> None:
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            paused = allowance or Allowance.API
            self._budget.pause(paused, access.user_uri, retry_after(response.headers))


def _endless(path: str) -> CalendlyProtocolError:
    return CalendlyProtocolError(
        f"GET {template(path)}: Calendly's pages do not end.", unreadable=True
    )


def _general(response: httpx.Response, allowance: Allowance | None) -> RateState | None:
    # An endpoint with a limit of its own says nothing certain about it.
    return None if allowance is not None else rate_state(response.headers)


def _is_unchanged(response: httpx.Response) -> bool:
    """Whether Calendly says that the tag is still current; only a read with a tag may hear that."""
    asked = "If-None-Match" in response.request.headers
    return asked and response.status_code == httpx.codes.NOT_MODIFIED


def page_params(params: Params, token: str | None) -> dict[str, str]:
    return {**params, "page_token": token} if token else dict(params)


def _read(
    call: Call,
    response: httpx.Response,
    into: type[T],
    decoded: Callable[[bytes, type[T]], T] = decode,
) -> T:
    try:
        return decoded(response.content, into)
    except Unreadable as fault:
        raise unreadable(call, response.status_code, fault.field) from None
