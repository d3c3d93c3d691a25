"""An answer from the cache: its Age, its ETag, 304 where the caller has it, kept for the next.

The rule not to break: what stands in the body changes only with what it says. How old it is
stands in the header alone, so that an unchanged answer keeps its ETag.
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
from adapters.web.http.security_headers import security_headers
from adapters.web.schemas.host_times import Availability
from application.availability.slot_window import SlotWindow

_encode = msgspec.json.Encoder().encode
_JSON = MediaType.JSON.value
# RFC 9111: a private cache may keep the answer, but asks each time whether it still holds.
_KEEPING = {"Cache-Control": "private, no-cache", "Vary": "Authorization, X-User-Id"}


def cached_response(
    request: Request[Any, Any, Any], body: msgspec.Struct, basis: Validity, now: datetime
) -> Response[bytes]:
    """Return the answer of 200 or 304, and remember it if it can be given again.

    Args:
        request: to which it is the answer.
        body: what it says.
        basis: what it rests on; what is not valid beyond `now` is not remembered.
        now: the time (UTC).

    """
    content = _encode(body)
    etag = etag_of(content)
    asked = cache_request_of(request.scope)
    if asked is not None and now < basis.valid_until:
        response_cache_of(request.app).keep(asked.key, _rendered(content, etag, basis, now))
    return _response(request, content, etag, basis, now)


def cached_slots(
    request: Request[Any, Any, Any],
    body: Availability,
    ahead: SlotWindow | None,
    basis: Validity,
    now: datetime,
) -> Response[bytes]:
    """Return an answer without local days, and remember the window that it was cut from.

    Args:
        request: to which it is the answer.
        body: what it says.
        ahead: the whole window, where there is one that other ranges can be cut from.
        basis: what the answer rests on.
        now: the time (UTC).

    """
    content, frame = _encode(body), Frame.of(body)
    tag = FrameTag(basis.integration_id, basis.version, frame)
    etag = tag.of(span_text(body.start, body.end))
    asked = cache_request_of(request.scope)
    if asked is not None:
        key: Key = asked.key
        kept: CachedResponse = _rendered(content, etag, basis, now)
        if asked.window is not None and ahead is not None and is_in_order(ahead):
            basis_ahead = basis._replace(valid_until=ahead.valid_until)
            key, kept = asked.window, RenderedSlots(ahead, frame, basis_ahead, _FIXED, now)
        if now < kept.basis.valid_until:
            response_cache_of(request.app).keep(key, kept)
    return _response(request, content, etag, basis, now)


def _response(
    request: Request[Any, Any, Any], content: bytes, etag: bytes, basis: Validity, now: datetime
) -> Response[bytes]:
    age = max(int((now - basis.fetched_at).total_seconds()), 0)
    headers = {**_KEEPING, "ETag": etag.decode(), "Age": str(age)}
    if is_known(etag, if_none_match_of(request.scope)):
        return Response(b"", status_code=304, headers=headers)
    return Response(content, media_type=_JSON, headers=headers)


def _rendered(content: bytes, etag: bytes, basis: Validity, now: datetime) -> RenderedResponse:
    length = (b"content-length", b"%d" % len(content))
    return RenderedResponse(
        content,
        etag,
        headers=(*_FIXED.sent, length, (b"etag", etag)),
        unchanged=(*_FIXED.unchanged, (b"etag", etag)),
        basis=basis,
        noted_at=now,
    )


def _raw(headers: dict[str, str]) -> Headers:
    return tuple((name.lower().encode(), value.encode()) for name, value in headers.items())


_FIXED = FixedHeaders(
    sent=_raw({**dict(security_headers(_JSON)), "Content-Type": _JSON, **_KEEPING}),
    unchanged=_raw({**dict(security_headers("")), **_KEEPING}),
)
