"""Entity tags (RFC 9110, 8.8.3): what Calendly calls a version of an answer.

The rule not to break: a tag is opaque. It is handed back as it came, or not at all; whether two
are the same is for the server to say, which compares weakly.
"""

import re

import httpx

_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{0,200}"')


def etag_of(response: httpx.Response) -> str | None:
    """Return the tag that an answer names; None where it names none that could be sent back."""
    return usable(response.headers.get("ETag"))


def usable(tag: str | None) -> str | None:
    """Return a tag that may stand in a request, or None: a spoilt one costs a whole answer."""
    return tag if tag is not None and _TAG.fullmatch(tag) else None
