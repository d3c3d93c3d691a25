"""Calendly's resource URIs as paths.

The rule not to break: only the path of a URI is used, never its host. Bearer tokens go to the
configured API alone, whatever a webhook or an answer named.
"""

import re
from urllib.parse import urlsplit

from domain.errors import CalendlyNotFound

_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")  # both kinds seen: 16 upper-case characters, or a UUID


def path_of(uri: str, *collections: str) -> str:
    """Return the path of a resource URI such as `/scheduled_events/AAAA/invitees/BBBB`.

    Args:
        uri: the full URI.
        collections: the collection names it has to go through, outermost first.

    Raises:
        CalendlyNotFound: it is not the URI of such a resource, so there is none to ask for.

    """
    path = urlsplit(uri).path if uri.isascii() else ""
    segments = path.split("/")[1:]
    names, ids = segments[0::2], segments[1::2]
    if tuple(names) != collections or len(ids) != len(names):
        raise CalendlyNotFound(
            f"This is not the address of a Calendly {collections[-1]} resource."
        )
    if not all(_ID.fullmatch(each) for each in ids):
        raise CalendlyNotFound(
            f"This is not the address of a Calendly {collections[-1]} resource."
        )
    return path


def template(path: str) -> str:
    """Return a path with its ids left out, for messages: `/event_types/{uuid}`."""
    segments = path.split("/")
    return "/".join(
        "{uuid}" if place and place % 2 == 0 else each for place, each in enumerate(segments)
    )
