"""Acting on bookings, and keeping them what Calendly says they are."""

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
    made: Resources, calendly: Calendly, slots: ReadAvailability
) -> BookForInvitee:
    """Wire the use case."""
    return BookForInvitee(
        commands=_commands(made),
        session=calendly.session,
        calendly=CalendlyBookingsGateway(calendly.api),
        availability=slots,
        clock=made.clock,
    )


def cancel_booking(made: Resources, calendly: Calendly, show: ShowBooking) -> CancelBooking:
    """Wire the use case."""
    return CancelBooking(
        commands=_commands(made),
        session=calendly.session,
        calendly=CalendlyBookingsGateway(calendly.api),
        show=show,
    )


def mark_no_show(made: Resources, calendly: Calendly, show: ShowBooking) -> MarkNoShow:
    """Wire the use case."""
    return MarkNoShow(
        commands=_commands(made),
        session=calendly.session,
        calendly=CalendlyBookingsGateway(calendly.api),
        show=show,
    )


def create_scheduling_link(
    made: Resources, calendly: Calendly, slots: ReadAvailability
) -> CreateSchedulingLink:
    """Wire the use case."""
    return CreateSchedulingLink(
        storage=made.storage,
        session=calendly.session,
        calendly=CalendlySchedulingLinksGateway(calendly.api),
        availability=slots,
    )


def reconcile_bookings(made: Resources, calendly: Calendly) -> ReconcileBookings:
    """Wire the use case."""
    return ReconcileBookings(
        storage=made.storage,
        session=calendly.session,
        calendly=CalendlyBookingsGateway(calendly.api),
        clock=made.clock,
        randomness=made.randomness,
        telemetry=made.telemetry,
        reaches=_reaches(made.settings),
    )


def _reaches(settings: Settings) -> Reaches:
    return Reaches(
        usual=Reach(before=settings.reconcile_back, after=settings.reconcile_ahead),
        wide=Reach(before=settings.backfill_back, after=settings.backfill_ahead),
    )


def _commands(made: Resources) -> IdempotentCommands:
    return IdempotentCommands(
        storage=made.storage,
        clock=made.clock,
        randomness=made.randomness,
        telemetry=made.telemetry,
    )
