"""One process of the product: every use case composed over the fakes, made on first use."""

from datetime import timedelta
from functools import cached_property

from adapters.calendly.webhook_bodies import CalendlyWebhookBodies
from adapters.calendly.webhooks import CalendlyWebhookReader
from application.availability.fetch import FetchAvailability
from application.availability.read_busy_times import ReadBusyTimes
from application.availability.read_lists import ReadEventTypes, ReadSchedules
from application.availability.read_slots import ReadAvailability
from application.availability.read_through_cache import ReadThroughCache
from application.availability.refresh_cache import RefreshCache
from application.availability.refresh_due import SyncDueAvailability
from application.availability.single_flight import SingleFlight
from application.availability.usage_tracking import UsageTracker
from application.bookings.cancel_booking import CancelBooking
from application.bookings.create_booking import BookForInvitee
from application.bookings.idempotency import IdempotentCommands
from application.bookings.list_bookings import ShowBooking
from application.bookings.mark_no_show import MarkNoShow
from application.bookings.reconcile import ReconcileBookings
from application.bookings.reconcile_jobs import ReconcileAll
from application.integrations.begin_connect import BeginConnect
from application.integrations.complete_connect import CompleteConnect
from application.integrations.confirm_connect import ConfirmConnect
from application.integrations.connect_account import ConnectAccount
from application.integrations.finish_disconnect import FinishDisconnect
from application.integrations.store_integration import StoreIntegration
from application.privacy.apply_erasures import ApplyErasures
from application.privacy.erase_invitee import EraseInvitee
from application.privacy.erase_user import EraseUser
from application.privacy.export_erasures import ExportErasures
from application.privacy.finish_erasures import FinishErasures
from application.privacy.finish_user_erasures import FinishUserErasures
from application.privacy.prune_expired import PruneWebhooks
from application.privacy.redact_all import RedactAll
from application.privacy.redact_bookings import RedactBookings
from application.privacy.redact_webhooks import RedactBodies
from application.resilience.circuit_breakers import CircuitBreakers
from application.resilience.group_commit import GroupCommit
from application.security.audit_trail import AuditTrail
from application.tokens.calendly_session import CalendlySession
from application.tokens.recover_tokens import RecoverTokens
from application.tokens.refresh_due_tokens import RefreshDueTokens
from application.tokens.refresh_tokens import RefreshTokens
from application.tokens.refresh_under_lease import RefreshUnderLease
from application.webhooks.apply_pending import ApplyPendingWebhooks
from application.webhooks.ensure_subscription import EnsureSubscription
from application.webhooks.fetch_unreadable import FetchUnreadable
from application.webhooks.heal_subscriptions import HealSubscriptions
from application.webhooks.ingest import Inbox, IngestWebhook
from application.webhooks.list_events import ListWebhooks, ShowWebhook
from application.webhooks.lock_contention import Contention, bypass_group
from application.webhooks.replay import ReplayWebhook
from application.webhooks.store_batch import StoreBatch
from application.webhooks.store_or_defer import StoreOrDefer
from domain.cache_policy import CachePolicy
from domain.circuit_breaker import BreakerPolicy
from domain.refusal import RefusalPolicy
from domain.retention import Retention
from domain.retries import RetryTable
from domain.secret import Secret
from domain.signature import DEFAULT_TOLERANCE
from domain.sweep_window import Reach, Reaches
from tests.application.support.building import Product
from tests.application.support.disconnecting import finish_disconnect
from tests.fakes.rate_limits import FakeCallPauses

LEASE = timedelta(seconds=90)
HORIZON = timedelta(minutes=75)
CONNECT_TTL = timedelta(minutes=10)
CONCURRENCY = 4
REDIRECT_URI = "https://slots.example/api/calendly/callback"
CALLBACK_BASE = "https://slots.example/api/calendly/webhooks"
SIGNING_KEY = Secret("webhook-signing-key")
OLD_SIGNING_KEY = Secret("webhook-signing-key-of-yesterday")
BREAKER = BreakerPolicy()
CACHE = CachePolicy()
AVAILABILITY_HORIZON = timedelta(days=180)
REACHES = Reaches(
    usual=Reach(before=timedelta(days=7), after=timedelta(days=60)),
    wide=Reach(before=timedelta(days=30), after=timedelta(days=365)),
)


class Process:
    """The use cases as one process of the product has them."""

    def __init__(self, product: Product, name: str, *, doubt: timedelta = timedelta()) -> None:
        self.name = name
        self.doubt = doubt
        self.product = product
        self.storage = product.storage
        self.vault = product.vault
        self.calendly = product.calendly
        self.clock = product.clock
        self.randomness = product.randomness
        self.telemetry = product.telemetry
        self.jobs = product.jobs
        self.background = product.background
        self.pauses = FakeCallPauses(product.clock)

    @cached_property
    def circuit_breakers(self) -> CircuitBreakers:
        return CircuitBreakers(
            storage=self.storage,
            clock=self.clock,
            randomness=self.randomness,
            telemetry=self.telemetry,
            policy=BREAKER,
        )

    @cached_property
    def refresh_under_lease(self) -> RefreshUnderLease:
        return RefreshUnderLease(
            storage=self.storage,
            vault=self.vault,
            oauth=self.calendly,
            circuit_breakers=self.circuit_breakers,
            background=self.background,
            clock=self.clock,
            randomness=self.randomness,
            telemetry=self.telemetry,
            breaker_policy=BREAKER,
            lease_ttl=LEASE,
            refusals=RefusalPolicy(),
            brake=BREAKER,
            doubt=self.doubt,
        )

    @cached_property
    def refresh(self) -> RefreshTokens:
        return RefreshTokens(
            storage=self.storage,
            refresh=self.refresh_under_lease,
            circuit_breakers=self.circuit_breakers,
            clock=self.clock,
            randomness=self.randomness,
            owner=self.name,
            lease_ttl=LEASE,
        )

    @cached_property
    def refresh_due(self) -> RefreshDueTokens:
        return RefreshDueTokens(
            storage=self.storage,
            refresh=self.refresh_under_lease,
            recover=self.recover,
            circuit_breakers=self.circuit_breakers,
            clock=self.clock,
            randomness=self.randomness,
            telemetry=self.telemetry,
            owner=self.name,
            lease_ttl=LEASE,
            horizon=HORIZON,
            concurrency=CONCURRENCY,
            per_second=0,
            client_id=self.calendly.client_id,
        )

    @cached_property
    def recover(self) -> RecoverTokens:
        return RecoverTokens(
            storage=self.storage,
            vault=self.vault,
            oauth=self.calendly,
            randomness=self.randomness,
            telemetry=self.telemetry,
        )

    @cached_property
    def session(self) -> CalendlySession:
        return CalendlySession(
            storage=self.storage,
            vault=self.vault,
            refresh=self.refresh,
            circuit_breakers=self.circuit_breakers,
            clock=self.clock,
            randomness=self.randomness,
            rate_limits=self.pauses,
            retries=RetryTable(),
        )

    @cached_property
    def begin(self) -> BeginConnect:
        return BeginConnect(
            storage=self.storage,
            vault=self.vault,
            oauth=self.calendly,
            clock=self.clock,
            randomness=self.randomness,
            redirect_uri=REDIRECT_URI,
            ttl=CONNECT_TTL,
        )

    @cached_property
    def complete(self) -> CompleteConnect:
        return self.complete_with(confirms=True)

    def complete_with(self, *, confirms: bool) -> CompleteConnect:
        return CompleteConnect(
            storage=self.storage,
            vault=self.vault,
            clock=self.clock,
            randomness=self.randomness,
            connect_account=self.connect_account,
            confirms=confirms,
        )

    @cached_property
    def confirm(self) -> ConfirmConnect:
        return ConfirmConnect(
            storage=self.storage,
            vault=self.vault,
            clock=self.clock,
            telemetry=self.telemetry,
            connect_account=self.connect_account,
        )

    @cached_property
    def connect_account(self) -> ConnectAccount:
        return ConnectAccount(
            vault=self.vault,
            oauth=self.calendly,
            accounts=self.calendly,
            circuit_breakers=self.circuit_breakers,
            jobs=self.jobs,
            telemetry=self.telemetry,
            store=StoreIntegration(
                storage=self.storage,
                vault=self.vault,
                oauth=self.calendly,
                jobs=self.jobs,
                clock=self.clock,
                randomness=self.randomness,
            ),
            redirect_uri=REDIRECT_URI,
        )

    @cached_property
    def finish_disconnect(self) -> FinishDisconnect:
        return finish_disconnect(
            self.product,
            self.circuit_breakers,
            owner=self.name,
            lease_ttl=LEASE,
            callback_base=CALLBACK_BASE,
        )

    @cached_property
    def sync(self) -> RefreshCache:
        return RefreshCache(
            storage=self.storage,
            fetch=self.fetch,
            clock=self.clock,
            randomness=self.randomness,
            telemetry=self.telemetry,
            policy=CACHE,
            owner=self.name,
        )

    @cached_property
    def fetch(self) -> FetchAvailability:
        return FetchAvailability(session=self.session, calendly=self.calendly, clock=self.clock)

    @cached_property
    def sync_due(self) -> SyncDueAvailability:
        return SyncDueAvailability(
            storage=self.storage,
            refresh_cache=self.sync,
            circuit_breakers=self.circuit_breakers,
            clock=self.clock,
            telemetry=self.telemetry,
            concurrency=CONCURRENCY,
        )

    @cached_property
    def single_flight(self) -> SingleFlight:
        return SingleFlight(
            refresh_cache=self.sync,
            circuit_breakers=self.circuit_breakers,
            background=self.background,
            randomness=self.randomness,
            telemetry=self.telemetry,
        )

    @cached_property
    def usage(self) -> UsageTracker:
        return UsageTracker(storage=self.storage, background=self.background)

    @cached_property
    def cache(self) -> ReadThroughCache:
        return ReadThroughCache(
            storage=self.storage,
            single_flight=self.single_flight,
            usage=self.usage,
            clock=self.clock,
            telemetry=self.telemetry,
            policy=CACHE,
        )

    @cached_property
    def event_types(self) -> ReadEventTypes:
        return ReadEventTypes(cache=self.cache)

    @cached_property
    def availability(self) -> ReadAvailability:
        return ReadAvailability(cache=self.cache, clock=self.clock, horizon=AVAILABILITY_HORIZON)

    @cached_property
    def busy_times(self) -> ReadBusyTimes:
        return ReadBusyTimes(cache=self.cache, clock=self.clock, horizon=AVAILABILITY_HORIZON)

    @cached_property
    def schedules(self) -> ReadSchedules:
        return ReadSchedules(cache=self.cache)

    @cached_property
    def ingest(self) -> IngestWebhook:
        group = GroupCommit(self.batch.store, singly=self.single.store)
        return self.ingest_by(bypass_group(group, self.single.store, self.contention))

    @cached_property
    def contention(self) -> Contention:
        return Contention(self.clock)

    @cached_property
    def batch(self) -> StoreBatch:
        return StoreBatch(storage=self.storage, clock=self.clock, randomness=self.randomness)

    @cached_property
    def single(self) -> StoreOrDefer:
        return StoreOrDefer(
            batch=self.batch,
            patient_batch=self.batch,
            contention=self.contention,
            jobs=self.jobs,
            background=self.background,
            clock=self.clock,
            telemetry=self.telemetry,
        )

    def ingest_by(self, inbox: Inbox) -> IngestWebhook:
        return IngestWebhook(
            inbox=inbox,
            reader=CalendlyWebhookReader(),
            clock=self.clock,
            telemetry=self.telemetry,
            signing_keys=[SIGNING_KEY, OLD_SIGNING_KEY],
            tolerance=DEFAULT_TOLERANCE,
        )

    @cached_property
    def apply(self) -> ApplyPendingWebhooks:
        return ApplyPendingWebhooks(
            storage=self.storage,
            reader=CalendlyWebhookReader(),
            clock=self.clock,
            randomness=self.randomness,
            telemetry=self.telemetry,
            fetch_unreadable=FetchUnreadable(
                session=self.session, calendly=self.calendly, clock=self.clock
            ),
        )

    @cached_property
    def list_webhooks(self) -> ListWebhooks:
        return ListWebhooks(storage=self.storage)

    @cached_property
    def show_webhook(self) -> ShowWebhook:
        return ShowWebhook(storage=self.storage, bodies=CalendlyWebhookBodies())

    @cached_property
    def replay_webhook(self) -> ReplayWebhook:
        return ReplayWebhook(
            storage=self.storage, jobs=self.jobs, clock=self.clock, audit=self.audit
        )

    @cached_property
    def audit(self) -> AuditTrail:
        return AuditTrail(storage=self.storage, clock=self.clock, randomness=self.randomness)

    @cached_property
    def redact(self) -> RedactBodies:
        return RedactBodies(storage=self.storage, bodies=CalendlyWebhookBodies())

    @cached_property
    def prune_webhooks(self) -> PruneWebhooks:
        return PruneWebhooks(
            storage=self.storage,
            redact=self.redact,
            finish_erasures=self.finish_erasures,
            finish_user_erasures=FinishUserErasures(storage=self.storage, jobs=self.jobs),
            clock=self.clock,
            retention=Retention(),
        )

    @cached_property
    def redact_bookings(self) -> RedactBookings:
        return RedactBookings(storage=self.storage)

    @cached_property
    def finish_erasures(self) -> FinishErasures:
        return FinishErasures(
            storage=self.storage,
            redact_bookings=self.redact_bookings,
            redact_bodies=self.redact,
            clock=self.clock,
            telemetry=self.telemetry,
        )

    @cached_property
    def erase_invitee(self) -> EraseInvitee:
        return EraseInvitee(
            storage=self.storage,
            redact_all=self.redact_all,
            clock=self.clock,
            randomness=self.randomness,
            telemetry=self.telemetry,
            audit=self.audit,
        )

    @cached_property
    def redact_all(self) -> RedactAll:
        return RedactAll(
            storage=self.storage,
            redact_bookings=self.redact_bookings,
            redact_bodies=self.redact,
        )

    @cached_property
    def export_erasures(self) -> ExportErasures:
        return ExportErasures(storage=self.storage, clock=self.clock)

    @cached_property
    def apply_erasures(self) -> ApplyErasures:
        return ApplyErasures(storage=self.storage, redact_all=self.redact_all, jobs=self.jobs)

    @cached_property
    def erase_user(self) -> EraseUser:
        return EraseUser(
            storage=self.storage,
            jobs=self.jobs,
            clock=self.clock,
            randomness=self.randomness,
            telemetry=self.telemetry,
            audit=self.audit,
        )

    @cached_property
    def commands(self) -> IdempotentCommands:
        return IdempotentCommands(
            storage=self.storage,
            clock=self.clock,
            randomness=self.randomness,
            telemetry=self.telemetry,
        )

    @cached_property
    def show(self) -> ShowBooking:
        return ShowBooking(storage=self.storage)

    @cached_property
    def book(self) -> BookForInvitee:
        return BookForInvitee(
            commands=self.commands,
            session=self.session,
            calendly=self.calendly,
            availability=self.availability,
            clock=self.clock,
            horizon=timedelta(days=180),
        )

    @cached_property
    def cancel(self) -> CancelBooking:
        return CancelBooking(
            commands=self.commands, session=self.session, calendly=self.calendly, show=self.show
        )

    @cached_property
    def mark_no_show(self) -> MarkNoShow:
        return MarkNoShow(
            commands=self.commands, session=self.session, calendly=self.calendly, show=self.show
        )

    @cached_property
    def ensure(self) -> EnsureSubscription:
        return self.ensure_at(CALLBACK_BASE)

    def ensure_at(
        self, callback_base: str, signing_key: Secret = SIGNING_KEY
    ) -> EnsureSubscription:
        return EnsureSubscription(
            storage=self.storage,
            session=self.session,
            calendly=self.calendly,
            clock=self.clock,
            randomness=self.randomness,
            telemetry=self.telemetry,
            callback_base=callback_base,
            signing_key=signing_key,
        )

    @cached_property
    def heal(self) -> HealSubscriptions:
        return HealSubscriptions(
            storage=self.storage, ensure=self.ensure, jobs=self.jobs, concurrency=CONCURRENCY
        )

    @cached_property
    def reconcile(self) -> ReconcileBookings:
        return ReconcileBookings(
            storage=self.storage,
            session=self.session,
            calendly=self.calendly,
            clock=self.clock,
            randomness=self.randomness,
            telemetry=self.telemetry,
            reaches=REACHES,
        )

    @cached_property
    def reconcile_all(self) -> ReconcileAll:
        return ReconcileAll(
            storage=self.storage,
            reconcile=self.reconcile,
            clock=self.clock,
            telemetry=self.telemetry,
            concurrency=CONCURRENCY,
        )
