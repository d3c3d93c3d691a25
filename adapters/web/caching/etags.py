"""Entity tags and the conditional GET (RFC 9110, 8.8.3 and 13.1.2)."""

import re
from hashlib import blake2b

from litestar.types import Scope

_ANY = b"*"
_OPAQUE = re.compile(rb'"[\x21\x23-\x7e\x80-\xff]*"')
_TAG_BYTES = 16


def etag_of(body: bytes) -> bytes:
    """Return the strong tag of a body; the same bytes always have the same tag."""
    return b'"%s"' % blake2b(body, digest_size=_TAG_BYTES).hexdigest().encode()


def is_known(etag: bytes, if_none_match: bytes | None) -> bool:
    """Whether the caller has the response with this tag, so that 304 is sent.

    Args:
        etag: of the response.
        if_none_match: the header's value, its lines joined by commas; None without one. Tags are
            compared weakly; an invalid value names no tag.

    """
    if if_none_match is None:
        return False
    if if_none_match == etag:
        return True
    return if_none_match.strip() == _ANY or etag in _OPAQUE.findall(if_none_match)


def if_none_match_of(scope: Scope) -> bytes | None:
    """Return the header's value, its lines joined by commas (RFC 9110, 5.3); None without one."""
    lines = [value for name, value in scope["headers"] if name == b"if-none-match"]
    return b", ".join(lines) if lines else None
