"""Invariants of an account's tokens, at every commit and in the end."""

from collections.abc import Iterable, Sequence

from application.tokens.token_encryption import open_access, open_both
from domain.errors import SlotkeeperError
from domain.ids import IntegrationId
from domain.integration import REFRESH_OPEN_FOR, Cause, Integration, Status
from domain.token import SealedTokens
from tests.application.support.building import Product
from tests.application.support.interleaving import Mortal, World
from tests.application.support.process import Process
from tests.fakes.calendly.world import Grant


class Judge:
    """Compares what is stored with what Calendly, who alone knows, makes of it.

    Attributes:
        faults: what was seen and must never be; in words.

    """

    def __init__(self, world: World, integration_id: IntegrationId) -> None:
        self._world = world
        self._id = integration_id
        self._last = self.stored
        self._newest = self._number(self._last)
        self.faults: list[str] = []

    @property
    def product(self) -> Product:
        """The world that all share."""
        return self._world.product

    @property
    def grant(self) -> Grant:
        """Calendly's record of the latest consent."""
        return self.product.calendly.grants[-1]

    @property
    def stored(self) -> Integration:
        """The stored integration."""
        return self.product.storage.state.integrations[self._id].value

    def watch(self, processes: Iterable[Mortal]) -> None:
        """Compare what was just stored with what was stored before."""
        before, self._last = self._last, self.stored
        if self._last.tokens is None:
            self._watch_erased(before, processes)
        elif self._last.tokens != before.tokens:
            number = self._number(self._last)
            if number <= self._newest:
                self.faults.append("an older pair was stored over a newer one")
            self._newest = max(number, self._newest)

    def is_known(self, rescued: Sequence[SealedTokens], processes: Iterable[Mortal]) -> bool:
        """Whether we have a token that Calendly honours, or had it and did not die since."""
        stored = self.stored.tokens
        ours = {self._token(each) for each in ([*rescued, stored] if stored else rescued)}
        heard = {token for each in processes if each.lives for token in each.held}
        return not self.grant.revoked and self.grant.refresh in ours | heard

    async def judge(self, process: Process, *, is_known: bool) -> None:
        """Say what the last run of the job left undone.

        Args:
            process: one that works.
            is_known: whether there was anything to keep alive before that run.

        """
        stored = self.stored
        if self._world.sent_twice:
            self.faults.append("two requests with one token were under way")
        if is_known:
            await self._judge_living(stored, process)
        elif stored.status is not Status.REAUTH_REQUIRED or stored.attention is None:
            self.faults.append("a dead grant was not found")
        elif stored.attention.cause is not Cause.REFRESH_OUTCOME_LOST and not self.grant.revoked:
            self.faults.append("the cause is wrong")

    async def _judge_living(self, stored: Integration, process: Process) -> None:
        if stored.status is not Status.ACTIVE:
            self.faults.append("a living grant was given up")
            return
        if stored.exchange_started_at is not None:
            self.faults.append("a doubt was left behind")
        try:
            fresh = await process.refresh.run(self._id)
            await self.product.calendly.me(open_access(self.product.vault, fresh))
        except SlotkeeperError:
            self.faults.append("a living grant does not work")

    def _watch_erased(self, before: Integration, processes: Iterable[Mortal]) -> None:
        if before.tokens is None or self.grant.revoked:
            return
        if self._token(before.tokens) == self.grant.refresh:
            self.faults.append("a live pair was erased")
        now = self.product.clock.now()
        for process in processes:
            held = process.held.get(self.grant.refresh)
            if held and not held.task.done() and now - held.since < REFRESH_OPEN_FOR:
                self.faults.append("given up while the next pair was being stored")

    def _token(self, tokens: SealedTokens) -> str:
        return open_both(self.product.vault, self._id, tokens)[0].reveal()

    def _number(self, integration: Integration) -> int:
        """Return how many tokens Calendly had issued when it issued the stored one."""
        assert integration.tokens is not None
        return int(self._token(integration.tokens).rpartition("-")[2])
