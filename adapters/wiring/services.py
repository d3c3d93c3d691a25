"""Everything that a process offers to its edges, in one frozen value."""

from dataclasses import dataclass

from adapters.persistence.storage import PiccoloStorage
from adapters.settings import Settings
from adapters.telemetry.signals import PrometheusSignals
from adapters.temporal.jobs import TemporalJobs
from application.apply_webhooks import ApplyWebhooks
from application.begin_connect import BeginConnect
from application.book_for_invitee import BookForInvitee
from application.cancel_booking import CancelBooking
from application.circuits import Circuits
from application.complete_connect import CompleteConnect
from application.create_scheduling_link import CreateSchedulingLink
from application.ensure_subscription import EnsureSubscription
from application.erase_invitee import EraseInvitee
from application.fill_gaps import FillGaps
from application.finish_disconnect import FinishDisconnect
from application.heal_subscriptions import HealSubscriptions
from application.identify_caller import IdentifyCaller
from application.ingest_webhook import IngestWebhook
from application.invalidate_availability import InvalidateAvailability
from application.list_bookings import ListBookings
from application.list_webhooks import ListWebhooks
from application.manage_api_keys import ManageApiKeys
from application.mark_no_show import MarkNoShow
from application.ports.clock import Clock
from application.ports.standings import Standings
from application.prune_webhooks import PruneWebhooks
from application.read_availability import ReadAvailability
from application.read_busy_times import ReadBusyTimes
from application.read_event_types import ReadEventTypes
from application.read_marks import ReadMarks
from application.read_schedules import ReadSchedules
from application.reconcile_all import ReconcileAll
from application.reconcile_bookings import ReconcileBookings
from application.refresh_due_tokens import RefreshDueTokens
from application.refresh_tokens import RefreshTokens
from application.replay_webhook import ReplayWebhook
from application.request_disconnect import RequestDisconnect
from application.show_booking import ShowBooking
from application.show_webhook import ShowWebhook
from application.sync_availability import SyncAvailability
from application.sync_due_availability import SyncDueAvailability
from application.view_integration import ViewIntegration


@dataclass(frozen=True, kw_only=True)
class Services:
    """The use cases by name, and the few adapters that an edge asks directly."""

    settings: Settings
    clock: Clock
    storage: PiccoloStorage
    jobs: TemporalJobs
    signals: PrometheusSignals
    circuits: Circuits

    identify_caller: IdentifyCaller
    manage_api_keys: ManageApiKeys

    begin_connect: BeginConnect
    complete_connect: CompleteConnect
    view_integration: ViewIntegration
    request_disconnect: RequestDisconnect
    finish_disconnect: FinishDisconnect

    refresh_tokens: RefreshTokens
    refresh_due_tokens: RefreshDueTokens

    sync_availability: SyncAvailability
    sync_due_availability: SyncDueAvailability
    read_event_types: ReadEventTypes
    read_availability: ReadAvailability
    read_busy_times: ReadBusyTimes
    read_schedules: ReadSchedules
    invalidate_availability: InvalidateAvailability
    read_marks: ReadMarks
    standings: Standings

    ingest_webhook: IngestWebhook
    apply_webhooks: ApplyWebhooks
    list_webhooks: ListWebhooks
    show_webhook: ShowWebhook
    replay_webhook: ReplayWebhook
    prune_webhooks: PruneWebhooks
    erase_invitee: EraseInvitee
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
    fill_gaps: FillGaps
