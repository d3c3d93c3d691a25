"""The sandbox answers only to its own names, and takes no posts from other sites."""

from collections.abc import Iterator

import httpx
import pytest

from sandbox.settings import Settings
from tests.sandbox.conftest import running

RESET = "/_control/reset"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The address of a sandbox that has one name more."""
    with running(Settings(hosts=("calendly.test",))) as found:
        yield found


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:1", 200),
        ("127.0.0.1", 200),
        ("127.9.9.9:80", 200),
        ("[::1]:80", 200),
        ("calendly.test:80", 200),
        ("CALENDLY.test", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("calendly.test.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("10.0.0.1", 421),
        ("[::1", 421),
    ],
)
def test_another_name_is_refused(url: str, host: str, status: int) -> None:
    """A name that another site points at this machine gets nothing (DNS rebinding)."""
    assert httpx.get(f"{url}/", headers={"Host": host}).status_code == status


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({}, False),
        ({"Sec-Fetch-Site": "same-origin"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, True),
        ({"Sec-Fetch-Site": "same-site"}, True),
        ({"Origin": "https://evil.example"}, True),
        ({"Origin": "null"}, True),
        ({"Origin": "http://127.0.0.1:1"}, True),
    ],
)
def test_another_sites_post_is_refused(url: str, headers: dict[str, str], refused: bool) -> None:
    """A form of another site changes nothing; a program and our own page are let through."""
    answer = httpx.post(f"{url}{RESET}", headers=headers)

    assert (answer.status_code == 403) is refused


def test_our_own_origin_may_post(url: str) -> None:
    """The consent page's form names the sandbox's own origin."""
    assert httpx.post(f"{url}{RESET}", headers={"Origin": url}).status_code != 403
