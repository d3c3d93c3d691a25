from urllib.parse import urlsplit

from hypothesis import given
from hypothesis import strategies as st

from adapters.web.params.return_to import checked, with_outcome
from domain.errors import InvalidInput

OURS = "https://slots.example.com"
PIECES = st.lists(
    st.sampled_from(
        [
            "/",
            "\\",
            "@",
            ":",
            "//",
            "https:",
            "http:",
            ".",
            "slots.example.com",
            "evil.com",
            "?",
            "#",
            "%2f",
            "a",
            "443",
            "[",
            "]",
        ]
    ),
    max_size=8,
)


@given(PIECES.map("".join))
def test_no_address_leads_elsewhere(address: str) -> None:
    """Any address that passes the check leads a browser to this service."""
    try:
        kept = checked(address, [OURS])
    except InvalidInput:
        return

    # A browser drops tabs and newlines, and reads \ as / (WHATWG URL).
    assert kept is not None
    read = kept.replace("\\", "/")
    assert not any(each in read for each in "\t\r\n ")
    if not read.startswith("/"):
        assert urlsplit(read).hostname == "slots.example.com"
        assert urlsplit(read).scheme == "https"
    else:
        assert not read.startswith("//")


def test_the_outcome_joins_the_query() -> None:
    """The outcome is added to what the query says already, and replaces an older outcome."""
    assert with_outcome("/a?x=1&calendly=old#top", "connected") == "/a?x=1&calendly=connected#top"
    assert with_outcome("/", "connected") == "/?calendly=connected"
