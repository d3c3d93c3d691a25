"""An answer from the cache: its Age, its ETag, 304 where the caller has it, kept for the next.

The rule not to break: what stands in the body changes only with what it says. How old it is
stands in the header alone, so that an unchanged answer keeps its ETag.
"""

from datetime import datetime
from typing import Any

import msgspec
from litestar import MediaType, Request, Response

from adapters.web.availability_door import answer_key_of, answers_of
from adapters.web.conditional import etag_of, if_none_match_of, is_known
from adapters.web.rendered_answers import Basis, Headers, RenderedAnswer
from adapters.web.security_headers import security_headers

_encode = msgspec.json.Encoder().encode
_JSON = MediaType.JSON.value
# RFC 9111: a private cache may keep the answer, but asks each time whether it still holds.
_KEEPING = {"Cache-Control": "private, no-cache", "Vary": "Authorization, X-User-Id"}


def cached_answer(
    request: Request[Any, Any, Any], body: msgspec.Struct, basis: Basis, now: datetime
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
    told = {**_KEEPING, "ETag": etag.decode()}
    key = answer_key_of(request.scope)
    if key is not None and now < basis.valid_until:
        answers_of(request.app).keep(key, _rendered(content, etag, told, basis, now))
    headers = {**told, "Age": str(max(int((now - basis.fetched_at).total_seconds()), 0))}
    if is_known(etag, if_none_match_of(request.scope)):
        return Response(b"", status_code=304, headers=headers)
    return Response(content, media_type=_JSON, headers=headers)


def _rendered(
    content: bytes, etag: bytes, told: dict[str, str], basis: Basis, now: datetime
) -> RenderedAnswer:
    sent = {"Content-Type": _JSON, "Content-Length": str(len(content)), **told}
    return RenderedAnswer(
        content,
        etag,
        headers=_raw({**dict(security_headers(_JSON)), **sent}),
        unchanged=_raw({**dict(security_headers("")), **told}),
        basis=basis,
        noted_at=now,
    )


def _raw(headers: dict[str, str]) -> Headers:
    return tuple((name.lower().encode(), value.encode()) for name, value in headers.items())
