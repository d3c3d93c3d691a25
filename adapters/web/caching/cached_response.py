"""A response from the availability cache: its Age, its ETag, and 304 for an unchanged one.

The rule not to break: the body changes only with its content. Its age is in the header only, so
that an unchanged response keeps its ETag.
"""

from datetime import datetime
from typing import Any

import msgspec
from litestar import MediaType, Request, Response

from adapters.web.caching.etags import etag_of, if_none_match_of, is_known
from adapters.web.caching.response_cache import (
    CachedResponse,
    FixedHeaders,
    Headers,
    Key,
    RenderedResponse,
    Validity,
    cache_request_of,
    response_cache_of,
)
from adapters.web.caching.slot_cache import Frame, FrameTag, RenderedSlots, is_in_order, span_text
from adapters.web.http.bearer import KEY_ID
from adapters.web.http.security_headers import security_headers
from adapters.web.params.services import services_of
from adapters.web.schemas.availability import Availability
from application.availability.slot_window import SlotWindow

_encode = msgspec.json.Encoder().encode
_JSON = MediaType.JSON.value
# RFC 9111: a private cache may store the response, but validates it before each use.
_CACHE_CONTROL = {"Cache-Control": "private, no-cache", "Vary": "Authorization, X-User-Id"}


def cached_response(
    request: Request[Any, Any, Any], body: msgspec.Struct, validity: Validity, now: datetime
) -> Response[bytes]:
    """Return the response of 200 or 304, and cache it if it stays valid beyond `now`.

    Args:
        request: the request.
        body: the content.
        validity: the conditions under which it is valid.
        now: the time (UTC).

    """
    validity = _for_key(request, validity)
    content = _encode(body)
    etag = etag_of(content)
    cache_request = cache_request_of(request.scope)
    if cache_request is not None and now < validity.valid_until:
        rendered = _rendered(content, etag, validity, now, _fixed(request))
        response_cache_of(request.app).put(cache_request.key, rendered)
    return _response(request, content, etag, validity, now)


def cached_slots(
    request: Request[Any, Any, Any],
    body: Availability,
    slot_window: SlotWindow | None,
    validity: Validity,
    now: datetime,
) -> Response[bytes]:
    """Return a response without local days, and cache the window that it comes from.

    Args:
        request: the request.
        body: the content.
        slot_window: the whole window, if it can serve other ranges.
        validity: the conditions under which the response is valid.
        now: the time (UTC).

    """
    validity = _for_key(request, validity)
    content, frame = _encode(body), Frame.of(body)
    tag = FrameTag(validity.integration_id, validity.version, frame)
    etag = tag.of(span_text(body.start, body.end))
    cache_request = cache_request_of(request.scope)
    if cache_request is not None:
        key: Key = cache_request.key
        fixed = _fixed(request)
        cached: CachedResponse = _rendered(content, etag, validity, now, fixed)
        if cache_request.window and slot_window is not None and is_in_order(slot_window):
            of_window = validity._replace(valid_until=slot_window.valid_until)
            key, cached = (
                cache_request.window,
                RenderedSlots(slot_window, frame, of_window, fixed, now),
            )
        if now < cached.validity.valid_until:
            response_cache_of(request.app).put(key, cached)
    return _response(request, content, etag, validity, now)


def _for_key(request: Request[Any, Any, Any], validity: Validity) -> Validity:
    return validity._replace(key_id=request.scope["state"].get(KEY_ID))


def _response(
    request: Request[Any, Any, Any], content: bytes, etag: bytes, validity: Validity, now: datetime
) -> Response[bytes]:
    age = max(int((now - validity.fetched_at).total_seconds()), 0)
    headers = {**_CACHE_CONTROL, "ETag": etag.decode(), "Age": str(age)}
    if is_known(etag, if_none_match_of(request.scope)):
        return Response(b"", status_code=304, headers=headers)
    return Response(content, media_type=_JSON, headers=headers)


def _rendered(
    content: bytes, etag: bytes, validity: Validity, now: datetime, fixed: FixedHeaders
) -> RenderedResponse:
    length = (b"content-length", b"%d" % len(content))
    return RenderedResponse(
        content,
        etag,
        headers=(*fixed.sent, length, (b"etag", etag)),
        unchanged=(*fixed.unchanged, (b"etag", etag)),
        validity=validity,
        noted_at=now,
    )


def _raw(headers: dict[str, str]) -> Headers:
    return tuple((name.lower().encode(), value.encode()) for name, value in headers.items())


def _fixed_headers(*, https: bool) -> FixedHeaders:
    of_body, of_none = (dict(security_headers(each, https=https)) for each in (_JSON, ""))
    return FixedHeaders(
        sent=_raw({**of_body, "Content-Type": _JSON, **_CACHE_CONTROL}),
        unchanged=_raw({**of_none, **_CACHE_CONTROL}),
    )


_PLAIN, _SECURE = _fixed_headers(https=False), _fixed_headers(https=True)


def _fixed(request: Request[Any, Any, Any]) -> FixedHeaders:
    return _SECURE if services_of(request).settings.is_https else _PLAIN
