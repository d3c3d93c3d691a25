"""Headers that let a browser show our pages, and do nothing else with our responses."""

from collections.abc import Iterator

_ALWAYS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
)
_DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
# Pages load one style sheet of our own, post forms to us, and run no script at all.
_PAGE_POLICY = (
    "default-src 'self'; script-src 'none'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def security_headers(content_type: str, *, https: bool) -> Iterator[tuple[str, str]]:
    """Return the headers that an answer of this content type has unless it sets its own.

    Args:
        content_type: of the answer.
        https: whether PUBLIC_URL is https. A browser then never asks this host by http again
            for a year (RFC 6797); its subdomains are not ours to decide about.

    """
    yield from _ALWAYS
    if https:
        yield "Strict-Transport-Security", "max-age=31536000"
    page = content_type.startswith("text/html")
    yield "Content-Security-Policy", _PAGE_POLICY if page else _DATA_POLICY
    # Under no-referrer a browser posts our own form with `Origin: null` (Fetch Standard), and
    # the check that it is our own could not tell.
    yield "Referrer-Policy", "same-origin" if page else "no-referrer"
