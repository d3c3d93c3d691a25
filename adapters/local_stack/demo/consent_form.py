"""Submits the sandbox's consent page as a browser would."""

from html.parser import HTMLParser

import httpx

from adapters.local_stack.demo.stage import expect


class _Form(HTMLParser):
    """Collects a form's action, the inputs it sends as they are, and the user of each e-mail."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.sent: list[tuple[str, str]] = []
        self.users: dict[str, str] = {}
        self._last_user: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = given.get("action", "")
        if tag != "input":
            return
        name, value = given.get("name", ""), given.get("value", "")
        if given.get("type") == "hidden" or name == "granted":
            self.sent.append((name, value))
        elif name == "user":
            self._last_user = value

    def handle_data(self, data: str) -> None:
        words = data.split()
        if self._last_user and words and "@" in words[0]:
            self.users[words[0]] = self._last_user
            self._last_user = None


def decide(
    browser: httpx.Client, page: httpx.Response, *, user: str, decision: str = "allow"
) -> httpx.Response:
    """Send the form of the consent page and return the page that the browser ends on.

    `user` is the e-mail address of a Calendly account; `decision` is `allow` or `deny`.
    """
    form = _Form()
    form.feed(page.text)
    expect(user in form.users, f"the consent page at {page.url.host} does not offer {user}")
    fields = [*form.sent, ("user", form.users[user]), ("decision", decision)]
    data: dict[str, list[str]] = {}
    for name, value in fields:
        data.setdefault(name, []).append(value)
    return browser.post(page.url.join(form.action), data=data)
