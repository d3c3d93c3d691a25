"""The pages below a path that a proxy removes: `https://example.com/slots/x` is `/x` here."""

import re
from collections.abc import AsyncIterator

import pytest

from tests.adapters.web import scenario
from tests.adapters.web.fakes import StandInServices
from tests.adapters.web.serving import CALLER, Client, serving, settings_with

ORIGIN, BASE = "http://127.0.0.1:8000", "/slots"
PAGE = {"Accept": "text/html"}
_OWN = re.compile(r'(?:href|src|action)="(/[^"]*)"')


@pytest.fixture
async def browser() -> AsyncIterator[Client]:
    """A browser whose proxy removes the path, with a connected demo user."""
    services = StandInServices(settings_with(DEMO_USER="demo", PUBLIC_URL=f"{ORIGIN}{BASE}"))
    user = await services.identify_caller.named("demo")
    services.host.integrations[user] = scenario.integration()
    async with serving(services) as client:
        yield client


async def begin(browser: Client, **params: str) -> None:
    """Begin the flow `state-1` in a program."""
    await browser.get(f"{ORIGIN}/api/calendly/connect", headers=CALLER, params=params)


async def begin_in(browser: Client) -> None:
    """Begin the flow `state-1` in the browser, whose proxy removes the path of its cookie too."""
    headers = {**CALLER, **PAGE}
    begun = await browser.get(
        f"{ORIGIN}/api/calendly/connect", headers=headers, follow_redirects=False
    )
    browser.headers["Cookie"] = begun.headers["set-cookie"].partition(";")[0]


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("/", "Slotkeeper"),
        ("/schema", "API reference"),
        ("/missing", "Not found"),
        ("/api/calendly/callback", "Not connected"),
        ("/api/calendly/callback?state=state-1&code=c", "Calendly is connected"),
    ],
)
async def test_every_link_of_a_page_leads_through_the_proxy(
    browser: Client, path: str, title: str
) -> None:
    """Each link begins with the path, and what remains of it answers."""
    await begin_in(browser)
    page = await browser.get(f"{ORIGIN}{path}", headers=PAGE)

    links = set(_OWN.findall(page.text))
    assert title in page.text
    assert f"{BASE}/static/slotkeeper.css" in links
    for link in links:
        assert link.startswith(f"{BASE}/")
        answer = await browser.head(f"{ORIGIN}{link.removeprefix(BASE)}")
        assert answer.status_code == (405 if link.endswith("/disconnect") else 200)


@pytest.mark.parametrize(
    ("return_to", "end"),
    [
        ("/done?x=1", f"{BASE}/done?x=1&calendly=connected"),
        (f"{ORIGIN}/elsewhere", f"{ORIGIN}/elsewhere?calendly=connected"),
    ],
)
async def test_a_path_to_return_to_is_below_the_base_path(
    browser: Client, return_to: str, end: str
) -> None:
    """A `return_to` that is a path gets the base path; a whole address stays as it is."""
    await begin(browser, return_to=return_to)

    answer = await browser.get(
        f"{ORIGIN}/api/calendly/callback",
        params={"state": "state-1", "code": "c"},
        headers=CALLER,
        follow_redirects=False,
    )

    assert answer.headers["location"] == end


async def test_the_buttons_lead_back_to_the_page(browser: Client) -> None:
    """After each button of the demo user the browser is below the base path again."""
    disconnected = await browser.post(
        f"{ORIGIN}/demo/disconnect",
        headers={"Sec-Fetch-Site": "same-origin"},
        follow_redirects=False,
    )
    begun = await browser.get(f"{ORIGIN}/demo/connect", follow_redirects=False)
    back = await browser.get(
        f"{ORIGIN}/api/calendly/callback",
        params={"state": "state-1", "code": "c"},
        headers={"Cookie": begun.headers["set-cookie"].partition(";")[0]},
        follow_redirects=False,
    )

    assert disconnected.headers["location"] == f"{BASE}/?calendly=disconnected"
    assert back.headers["location"] == f"{BASE}/?calendly=connected"
