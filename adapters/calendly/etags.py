"""Entity tags (RFC 9110, 8.8.3): Calendly's name of a version of a response.

The rule not to break: a tag is opaque. It is sent back unchanged, or not at all. Only the server
decides whether two tags are equal, and it compares weakly.
"""

import re

import httpx

_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{0,200}"')


def etag_of(response: httpx.Response) -> str | None:
    """Return a response's tag; None if it has none that can be sent back."""
    return usable(response.headers.get("ETag"))


def usable(tag: str | None) -> str | None:
    """Return a tag that is valid in a request, or None; without a tag the whole list is sent."""
    return tag if tag is not None and _TAG.fullmatch(tag) else None
