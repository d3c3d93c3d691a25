"""All use cases over the opened resources."""

from adapters.wiring import accounts, availability, bookings, calendly, keeping, webhooks
from adapters.wiring.resources import Resources
from adapters.wiring.services import Services
from application.availability.invalidate import InvalidateAvailability
from application.bookings.list_bookings import ListBookings, ShowBooking
from application.bookings.reconcile_jobs import FillGaps, ReconcileAll
from application.integrations.request_disconnect import RequestDisconnect
from application.integrations.view_integration import ViewIntegration
from application.security.identify_caller import IdentifyCaller
from application.security.manage_api_keys import ManageApiKeys
from application.webhooks.heal_subscriptions import HealSubscriptions
from application.webhooks.list_events import ListWebhooks


def wire(made: Resources) -> Services:
    """Return the use cases over the opened resources."""
    way = calendly.calendly_of(made)
    sync = availability.sync_availability(made, way)
    usage = availability.usage(made)
    cache = availability.read_through_cache(made, way, sync, usage)
    slots = availability.read_availability(made, cache)
    ensure = webhooks.ensure_subscription(made, way)
    reconcile = bookings.reconcile_bookings(made, way)
    show = ShowBooking(storage=made.storage)
    concurrency = made.settings.concurrency
    return Services(
        settings=made.settings,
        clock=made.clock,
        storage=made.storage,
        jobs=made.jobs,
        telemetry=made.telemetry,
        circuit_breakers=way.circuit_breakers,
        identify_caller=IdentifyCaller(
            storage=made.storage, randomness=made.randomness, clock=made.clock
        ),
        manage_api_keys=ManageApiKeys(
            storage=made.storage, randomness=made.randomness, clock=made.clock
        ),
        begin_connect=accounts.begin_connect(made, way),
        complete_connect=accounts.complete_connect(made, way),
        view_integration=ViewIntegration(
            storage=made.storage,
            clock=made.clock,
            breaker_policy=calendly.breaker_policy(made),
            public_url=made.settings.public_url,
        ),
        request_disconnect=RequestDisconnect(storage=made.storage, jobs=made.jobs),
        finish_disconnect=accounts.finish_disconnect(made, way),
        refresh_tokens=way.refresh,
        refresh_due_tokens=accounts.refresh_due_tokens(made, way),
        sync_availability=sync,
        sync_due_availability=availability.sync_due_availability(made, way, sync),
        read_event_types=availability.read_event_types(cache),
        read_availability=slots,
        read_busy_times=availability.read_busy_times(made, cache),
        read_schedules=availability.read_schedules(cache),
        invalidate_availability=InvalidateAvailability(storage=made.storage, clock=made.clock),
        usage=usage,
        versions=made.storage.versions(),
        ingest_webhook=webhooks.ingest_webhook(made),
        apply_webhooks=webhooks.apply_webhooks(made),
        list_webhooks=ListWebhooks(storage=made.storage),
        show_webhook=keeping.show_webhook(made),
        replay_webhook=keeping.replay_webhook(made),
        prune_webhooks=keeping.prune_webhooks(made),
        erase_invitee=keeping.erase_invitee(made),
        ensure_subscription=ensure,
        heal_subscriptions=HealSubscriptions(
            storage=made.storage, ensure=ensure, jobs=made.jobs, concurrency=concurrency
        ),
        list_bookings=ListBookings(storage=made.storage),
        show_booking=show,
        book_for_invitee=bookings.book_for_invitee(made, way, slots),
        cancel_booking=bookings.cancel_booking(made, way, show),
        create_scheduling_link=bookings.create_scheduling_link(made, way, slots),
        mark_no_show=bookings.mark_no_show(made, way, show),
        reconcile_bookings=reconcile,
        reconcile_all=ReconcileAll(
            storage=made.storage, reconcile=reconcile, concurrency=concurrency
        ),
        fill_gaps=FillGaps(storage=made.storage, reconcile=reconcile, concurrency=concurrency),
    )
