"""Everything one sandbox knows, in one place, handed to every handler.

All of it lives in memory and is used from one event loop, so no operation here may await.
"""

from sandbox.clock import Clock
from sandbox.deliveries.outbox import Outbox
from sandbox.faults.rules import Faults
from sandbox.ledger import Counters, IssuedSecrets
from sandbox.oauth.apps import App
from sandbox.oauth.grants import Grants
from sandbox.rates import Rates
from sandbox.settings import Settings
from sandbox.state.bookings import Bookings
from sandbox.state.directory import Directory
from sandbox.state.event_types import Catalogue
from sandbox.state.links import Links
from sandbox.state.schedules import Schedules
from sandbox.state.seed import seed_many, seed_named
from sandbox.state.slots import Diary
from sandbox.state.subscriptions import Subscriptions
from sandbox.switches import Switches


class World:
    """One simulated Calendly."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = Clock()
        self.issued = IssuedSecrets()
        self.outbox = Outbox()
        self.clock.on_move(self.outbox.wake)
        self.reset()

    def reset(self) -> None:
        """Begin again as after the start; the ledger of issued secrets is kept."""
        self.clock.reset()
        self.switches = Switches()
        self.counters = Counters()
        self.faults = Faults(self.settings.seed)
        self.rates = Rates(self.clock)
        self.grants = Grants(self.clock, self.switches, self.issued, self.counters)
        self.directory = Directory()
        self.catalogue = Catalogue()
        self.links = Links()
        self.schedules = Schedules()
        self.bookings = Bookings()
        self.diary = Diary(self.schedules, self.bookings)
        self.subscriptions = Subscriptions()
        self.outbox.clear()
        self._seed()

    def uri(self, collection: str, uuid: str) -> str:
        """The canonical URI by which resources name each other."""
        return f"{self.settings.resource_base}/{collection}/{uuid}"

    def _seed(self) -> None:
        settings = self.settings
        self.grants.add_app(
            App(
                client_id=settings.client_id,
                client_secret=settings.client_secret,
                signing_key=settings.signing_key,
                redirect_uris=settings.redirect_uris,
            )
        )
        seed_named(self.directory, self.catalogue, self.schedules, settings.seed)
        seed_many(self.directory, self.catalogue, self.schedules, settings.users, settings.seed)
