"""The one list of use cases, which web, commands and workflows take."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from adapters.persistence.storage import PiccoloStorage
from adapters.settings import Settings
from adapters.system.clock_sync import ClockSkew
from adapters.telemetry.prometheus import PrometheusTelemetry
from adapters.temporal.jobs import TemporalJobs
from application.availability.invalidate import InvalidateAvailability
from application.availability.read_busy_times import ReadBusyTimes
from application.availability.read_lists import ReadEventTypes, ReadSchedules
from application.availability.read_slots import ReadAvailability
from application.availability.refresh_cache import RefreshCache
from application.availability.refresh_due import SyncDueAvailability
from application.availability.usage_tracking import UsageTracker
from application.bookings.cancel_booking import CancelBooking
from application.bookings.create_booking import BookForInvitee
from application.bookings.create_scheduling_link import CreateSchedulingLink
from application.bookings.list_bookings import ListBookings, ShowBooking
from application.bookings.mark_no_show import MarkNoShow
from application.bookings.reconcile import ReconcileBookings
from application.bookings.reconcile_jobs import ReconcileAll
from application.integrations.begin_connect import BeginConnect
from application.integrations.complete_connect import CompleteConnect
from application.integrations.confirm_connect import ConfirmConnect
from application.integrations.finish_disconnect import FinishDisconnect
from application.integrations.request_disconnect import RequestDisconnect
from application.integrations.view_integration import ViewIntegration
from application.jobs.job_result import JobResult, Progress
from application.ports.clock import Clock
from application.ports.storage.version_lookup import VersionLookup
from application.privacy.apply_erasures import ApplyErasures
from application.privacy.erase_invitee import EraseInvitee
from application.privacy.erase_user import EraseUser
from application.privacy.export_erasures import ExportErasures
from application.privacy.prune_expired import PruneWebhooks
from application.resilience.circuit_breakers import CircuitBreakers
from application.security.audit_trail import AuditTrail
from application.security.identify_caller import IdentifyCaller
from application.security.key_usage import KeyUsage
from application.security.manage_api_keys import ManageApiKeys
from application.tokens.refresh_due_tokens import RefreshDueTokens
from application.tokens.refresh_tokens import RefreshTokens
from application.webhooks.apply_pending import ApplyPendingWebhooks
from application.webhooks.ensure_subscription import EnsureSubscription
from application.webhooks.heal_subscriptions import HealSubscriptions
from application.webhooks.ingest import IngestWebhook
from application.webhooks.list_events import ListWebhooks, ShowWebhook
from application.webhooks.replay import ReplayWebhook


@dataclass(frozen=True, kw_only=True)
class Services:
    """The use cases by name, and the few adapters that an edge calls directly."""

    settings: Settings
    clock: Clock
    clock_skew: ClockSkew
    storage: PiccoloStorage
    probe_storage: PiccoloStorage
    jobs: TemporalJobs
    telemetry: PrometheusTelemetry
    circuit_breakers: CircuitBreakers

    identify_caller: IdentifyCaller
    manage_api_keys: ManageApiKeys
    audit: AuditTrail

    begin_connect: BeginConnect
    complete_connect: CompleteConnect
    confirm_connect: ConfirmConnect
    view_integration: ViewIntegration
    request_disconnect: RequestDisconnect
    finish_disconnect: FinishDisconnect

    refresh_tokens: RefreshTokens
    refresh_due_tokens: RefreshDueTokens

    sync_availability: RefreshCache
    sync_due_availability: SyncDueAvailability
    read_event_types: ReadEventTypes
    read_availability: ReadAvailability
    read_busy_times: ReadBusyTimes
    read_schedules: ReadSchedules
    invalidate_availability: InvalidateAvailability
    usage: UsageTracker
    key_usage: KeyUsage
    versions: VersionLookup

    ingest_webhook: IngestWebhook
    apply_webhooks: ApplyPendingWebhooks
    list_webhooks: ListWebhooks
    show_webhook: ShowWebhook
    replay_webhook: ReplayWebhook
    prune_webhooks: PruneWebhooks
    erase_invitee: EraseInvitee
    erase_user: EraseUser
    export_erasures: ExportErasures
    apply_erasures: ApplyErasures
    ensure_subscription: EnsureSubscription
    heal_subscriptions: HealSubscriptions

    list_bookings: ListBookings
    show_booking: ShowBooking
    book_for_invitee: BookForInvitee
    cancel_booking: CancelBooking
    create_scheduling_link: CreateSchedulingLink
    mark_no_show: MarkNoShow
    reconcile_bookings: ReconcileBookings
    reconcile_all: ReconcileAll

    @property
    def fill_gaps(self) -> Callable[[str | None, int, Progress], Awaitable[JobResult]]:
        return self.reconcile_all.fill_gaps
