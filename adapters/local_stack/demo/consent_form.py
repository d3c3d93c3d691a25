"""Submits the sandbox's consent page as a browser would."""

from html.parser import HTMLParser

import httpx

from adapters.local_stack.demo.stage import expect


class _Form(HTMLParser):
    """Collects a form's action, its inputs, and the user of each e-mail."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.hidden: list[tuple[str, str]] = []
        self.granted: list[str] = []
        self.users: dict[str, str] = {}
        self._last_user: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = given.get("action", "")
        if tag != "input":
            return
        name, value = given.get("name", ""), given.get("value", "")
        if given.get("type") == "hidden":
            self.hidden.append((name, value))
        elif name == "granted":
            self.granted.append(value)
        elif name == "user":
            self._last_user = value

    def handle_data(self, data: str) -> None:
        words = data.split()
        if self._last_user and words and "@" in words[0]:
            self.users[words[0]] = self._last_user
            self._last_user = None


def decide(
    browser: httpx.Client,
    page: httpx.Response,
    *,
    user: str,
    decision: str = "allow",
    decline: tuple[str, ...] = (),
) -> httpx.Response:
    """Send the consent form and return the page that the browser ends on.

    Args:
        browser: holds the cookies.
        page: the consent page.
        user: e-mail of the Calendly account.
        decision: `allow` or `deny`.
        decline: scopes to untick.

    """
    form = _Form()
    form.feed(page.text)
    expect(user in form.users, f"the consent page at {page.url.host} does not offer {user}")
    ticked = [("granted", scope) for scope in form.granted if scope not in decline]
    fields = [*form.hidden, ("user", form.users[user]), *ticked, ("decision", decision)]
    data: dict[str, list[str]] = {}
    for name, value in fields:
        data.setdefault(name, []).append(value)
    return browser.post(page.url.join(form.action), data=data)
