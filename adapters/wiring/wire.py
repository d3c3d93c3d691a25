"""All use cases over the opened resources."""

from adapters.calendly.webhook_bodies import CalendlyWebhookBodies
from adapters.wiring import accounts, availability, bookings, privacy, webhooks
from adapters.wiring.calendly import breaker_policy, calendly_of
from adapters.wiring.resources import Resources
from adapters.wiring.services import Services
from application.availability.invalidate import InvalidateAvailability
from application.availability.read_busy_times import ReadBusyTimes
from application.availability.read_lists import ReadEventTypes, ReadSchedules
from application.availability.read_slots import ReadAvailability
from application.availability.usage_tracking import UsageTracker
from application.bookings.list_bookings import ListBookings, ShowBooking
from application.bookings.reconcile_jobs import ReconcileAll
from application.integrations.request_disconnect import RequestDisconnect
from application.integrations.view_integration import ViewIntegration
from application.privacy.export_erasures import ExportErasures
from application.security.identify_caller import IdentifyCaller
from application.security.key_usage import KeyUsage
from application.security.manage_api_keys import ManageApiKeys
from application.webhooks.heal_subscriptions import HealSubscriptions
from application.webhooks.list_events import ListWebhooks, ShowWebhook
from application.webhooks.replay import ReplayWebhook


def wire(resources: Resources) -> Services:
    """Return the use cases over the opened resources."""
    storage, clock, jobs = resources.storage, resources.clock, resources.jobs
    audit = resources.audit
    reads = resources.read_storage
    calendly = calendly_of(resources)
    sync = availability.sync_availability(resources, calendly)
    key_usage = KeyUsage(storage=storage, background=resources.background)
    usage = UsageTracker(storage=storage, background=resources.background)
    cache = availability.read_through_cache(resources, calendly, sync, usage)
    horizon = resources.settings.availability_horizon
    slots = ReadAvailability(cache=cache, clock=clock, horizon=horizon)
    ensure = webhooks.ensure_subscription(resources, calendly)
    reconcile = bookings.reconcile_bookings(resources, calendly)
    show = ShowBooking(storage=storage)
    concurrency = resources.settings.concurrency
    return Services(
        settings=resources.settings,
        clock=clock,
        clock_skew=resources.clock_skew,
        storage=storage,
        probe_storage=resources.probe_storage,
        jobs=jobs,
        telemetry=resources.telemetry,
        circuit_breakers=calendly.circuit_breakers,
        identify_caller=IdentifyCaller(
            storage=reads, randomness=resources.randomness, clock=clock, usage=key_usage
        ),
        manage_api_keys=ManageApiKeys(
            storage=storage, randomness=resources.randomness, clock=clock
        ),
        begin_connect=accounts.begin_connect(resources, calendly),
        complete_connect=accounts.complete_connect(resources, calendly),
        confirm_connect=accounts.confirm_connect(resources, calendly),
        view_integration=ViewIntegration(
            storage=reads,
            clock=clock,
            breaker_policy=breaker_policy(resources),
            public_url=resources.settings.public_url,
        ),
        request_disconnect=RequestDisconnect(storage=storage, jobs=jobs, audit=audit),
        finish_disconnect=accounts.finish_disconnect(resources, calendly),
        refresh_tokens=calendly.refresh,
        refresh_due_tokens=accounts.refresh_due_tokens(resources, calendly),
        sync_availability=sync,
        sync_due_availability=availability.sync_due_availability(resources, calendly, sync),
        read_event_types=ReadEventTypes(cache=cache),
        read_availability=slots,
        read_busy_times=ReadBusyTimes(cache=cache, clock=clock, horizon=horizon),
        read_schedules=ReadSchedules(cache=cache),
        invalidate_availability=InvalidateAvailability(storage=storage, clock=clock),
        usage=usage,
        key_usage=key_usage,
        audit=audit,
        versions=reads.versions(),
        ingest_webhook=webhooks.ingest_webhook(resources),
        apply_webhooks=webhooks.apply_webhooks(resources, calendly),
        list_webhooks=ListWebhooks(storage=reads),
        show_webhook=ShowWebhook(storage=reads, bodies=CalendlyWebhookBodies()),
        replay_webhook=ReplayWebhook(storage=storage, jobs=jobs, clock=clock, audit=audit),
        prune_webhooks=privacy.prune_webhooks(resources),
        erase_invitee=privacy.erase_invitee(resources),
        erase_user=privacy.erase_user(resources),
        export_erasures=ExportErasures(storage=storage, clock=clock),
        apply_erasures=privacy.apply_erasures(resources),
        ensure_subscription=ensure,
        heal_subscriptions=HealSubscriptions(
            storage=storage, ensure=ensure, jobs=jobs, concurrency=concurrency
        ),
        list_bookings=ListBookings(storage=reads),
        show_booking=ShowBooking(storage=reads),
        book_for_invitee=bookings.book_for_invitee(resources, calendly, slots),
        cancel_booking=bookings.cancel_booking(resources, calendly, show),
        create_scheduling_link=bookings.create_scheduling_link(resources, calendly, slots),
        mark_no_show=bookings.mark_no_show(resources, calendly, show),
        reconcile_bookings=reconcile,
        reconcile_all=ReconcileAll(
            storage=storage,
            reconcile=reconcile,
            clock=clock,
            telemetry=resources.telemetry,
            concurrency=concurrency,
        ),
    )
