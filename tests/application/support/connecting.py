"""The two halves of a connect flow, and the person between them."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from application.integrations.begin_connect import StartedConnect
from application.integrations.complete_connect import Callback, ConnectOutcome
from application.integrations.connect_account import ConnectedAccount
from domain.errors import SlotkeeperError
from domain.ids import IntegrationId, UserId
from domain.integration import Account, Recovery
from domain.secret import Secret
from tests.application.support.building import Product
from tests.application.support.process import Process


class Ended(msgspec.Struct, frozen=True):
    """The end of a whole flow, with its confirmation where one was needed."""

    integration_id: IntegrationId | None = None
    return_to: str | None = None
    error: SlotkeeperError | None = None
    recovery: Recovery | None = None
    replaced: IntegrationId | None = None

    @property
    def recovered(self) -> bool:
        """Whether the integration had needed a person until now."""
        return self.recovery is not None


class Flow:
    """One connect flow of one user.

    Args:
        account: the Calendly account whose owner sits at the consent page.

    """

    def __init__(self, product: Product, process: Process, account: Account) -> None:
        self._product, self._process, self._account = product, process, account
        self._started: StartedConnect | None = None
        self._user_id: UserId | None = None

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
        self._user_id = user_id
        self._started = await self._process.begin(
            user_id, return_to=return_to, bind_browser=bind_browser, replace=replace
        )
        return self

    def consent(self, scopes: tuple[str, ...] | None = None) -> Secret:
        """Let the account's owner consent; return the code."""
        return self._product.calendly.consent(
            self.started.authorize_url, self._account.user_uri, scopes
        )

    async def come_back(self, code: Secret | None = None, **changes: Any) -> ConnectOutcome:
        """Come back from the consent page; consents first unless a code is given."""
        callback: dict[str, Any] = {
            "state": self.query["state"],
            "code": (self.consent() if code is None else code).reveal(),
            "takes_handle": True,
        }
        return await self._process.complete(Callback(**(callback | changes)))

    async def confirm(self, outcome: ConnectOutcome) -> ConnectedAccount:
        """Confirm for the user who began."""
        assert outcome.held is not None
        assert self._user_id is not None
        return await self._process.confirm(self._user_id, outcome.held.handle.reveal())

    async def complete(self, code: Secret | None = None, **changes: Any) -> Ended:
        """Come back, and confirm where that is needed."""
        outcome = await self.come_back(code, **changes)
        connected = outcome.connected
        if outcome.held is not None:
            try:
                connected = await self.confirm(outcome)
            except SlotkeeperError as error:
                return Ended(return_to=outcome.return_to, error=error)
        if connected is None:
            return Ended(return_to=outcome.return_to, error=outcome.error)
        return Ended(
            connected.integration_id,
            outcome.return_to,
            recovery=connected.recovery,
            replaced=connected.replaced,
        )
