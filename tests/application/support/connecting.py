"""The two halves of a connect flow, and the person between them."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from application.integrations.begin_connect import StartedConnect
from application.integrations.complete_connect import ConnectOutcome
from domain.ids import UserId
from domain.integration import Account
from domain.secret import Secret
from tests.application.support.building import Product
from tests.application.support.process import Process


class Flow:
    """One connect flow of one user.

    Args:
        account: the Calendly account whose owner sits at the consent page.

    """

    def __init__(self, product: Product, process: Process, account: Account) -> None:
        self._product, self._process, self._account = product, process, account
        self._started: StartedConnect | None = None

    @property
    def started(self) -> StartedConnect:
        """The result of BeginConnect."""
        assert self._started is not None
        return self._started

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the consent page's address."""
        parsed = parse_qs(urlsplit(self.started.authorize_url).query)
        return {name: values[0] for name, values in parsed.items()}

    async def begin(
        self,
        user_id: UserId,
        *,
        return_to: str | None = None,
        bind_browser: bool = False,
        replace: bool = False,
    ) -> "Flow":
        """Begin."""
        self._started = await self._process.begin(
            user_id, return_to=return_to, bind_browser=bind_browser, replace=replace
        )
        return self

    def consent(self, scopes: tuple[str, ...] | None = None) -> Secret:
        """Let the account's owner consent; return the code."""
        return self._product.calendly.consent(
            self.started.authorize_url, self._account.user_uri, scopes
        )

    async def complete(self, code: Secret | None = None, **changes: Any) -> ConnectOutcome:
        """Come back from the consent page; consents first unless a code is given."""
        callback: dict[str, Any] = {
            "state": self.query["state"],
            "code": (self.consent() if code is None else code).reveal(),
            "error": None,
            "browser_token": None,
            "user_id": None,
        }
        return await self._process.complete(**(callback | changes))
