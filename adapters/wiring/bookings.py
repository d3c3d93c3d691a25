"""Commands on bookings, and their reconciliation with Calendly."""

from adapters.calendly.bookings import CalendlyBookingsGateway
from adapters.calendly.scheduling_links import CalendlySchedulingLinksGateway
from adapters.settings import Settings
from adapters.wiring.calendly import Calendly
from adapters.wiring.resources import Resources
from application.availability.read_slots import ReadAvailability
from application.bookings.cancel_booking import CancelBooking
from application.bookings.create_booking import BookForInvitee
from application.bookings.create_scheduling_link import CreateSchedulingLink
from application.bookings.idempotency import IdempotentCommands
from application.bookings.list_bookings import ShowBooking
from application.bookings.mark_no_show import MarkNoShow
from application.bookings.reconcile import ReconcileBookings
from domain.sweep_window import Reach, Reaches


def book_for_invitee(
    resources: Resources, calendly: Calendly, slots: ReadAvailability
) -> BookForInvitee:
    return BookForInvitee(
        commands=_commands(resources),
        session=calendly.session,
        calendly=CalendlyBookingsGateway(calendly.api),
        availability=slots,
        clock=resources.clock,
        horizon=resources.settings.availability_horizon,
    )


def cancel_booking(resources: Resources, calendly: Calendly, show: ShowBooking) -> CancelBooking:
    return CancelBooking(
        commands=_commands(resources),
        session=calendly.session,
        calendly=CalendlyBookingsGateway(calendly.api),
        show=show,
    )


def mark_no_show(resources: Resources, calendly: Calendly, show: ShowBooking) -> MarkNoShow:
    return MarkNoShow(
        commands=_commands(resources),
        session=calendly.session,
        calendly=CalendlyBookingsGateway(calendly.api),
        show=show,
    )


def create_scheduling_link(
    resources: Resources, calendly: Calendly, slots: ReadAvailability
) -> CreateSchedulingLink:
    return CreateSchedulingLink(
        storage=resources.storage,
        session=calendly.session,
        calendly=CalendlySchedulingLinksGateway(calendly.api),
        availability=slots,
    )


def reconcile_bookings(resources: Resources, calendly: Calendly) -> ReconcileBookings:
    return ReconcileBookings(
        storage=resources.storage,
        session=calendly.session,
        calendly=CalendlyBookingsGateway(calendly.api),
        clock=resources.clock,
        randomness=resources.randomness,
        telemetry=resources.telemetry,
        reaches=_reaches(resources.settings),
    )


def _reaches(settings: Settings) -> Reaches:
    return Reaches(
        usual=Reach(before=settings.reconcile_back, after=settings.reconcile_ahead),
        wide=Reach(before=settings.backfill_back, after=settings.backfill_ahead),
    )


def _commands(resources: Resources) -> IdempotentCommands:
    return IdempotentCommands(
        storage=resources.storage,
        clock=resources.clock,
        randomness=resources.randomness,
        telemetry=resources.telemetry,
    )
