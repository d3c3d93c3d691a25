import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from adapters.telemetry.metrics import Counters
from adapters.telemetry.prometheus import PrometheusTelemetry
from adapters.temporal.contract import APPLY_WEBHOOKS_ID, FILL_GAPS_ID, SCHEDULED
from adapters.temporal.schedules import ScheduleFaults
from domain.ids import IntegrationId, WebhookEventId
from tests.adapters.log_output import LogOutput

WHO = IntegrationId(UUID(int=5))
OTHER = IntegrationId(UUID(int=7))
EVENT = WebhookEventId(UUID(int=6))
UNTIL = datetime(2026, 11, 22, 9, 1, tzinfo=UTC)
Emit = Callable[[PrometheusTelemetry], None]


def counted(telemetry: PrometheusTelemetry) -> dict[str, float]:
    """Return every count that is not zero, without that of the process's omitted fields."""
    lines = re.findall(
        r"^(slotkeeper_\S+_total\S*) (\S+)$", telemetry.render().decode(), re.MULTILINE
    )
    return {
        name: float(value)
        for name, value in lines
        if float(value) and name != "slotkeeper_calendly_fields_omitted_total"
    }


def new_telemetry() -> PrometheusTelemetry:
    """Return telemetry without any count."""
    return PrometheusTelemetry(Counters("1.2.3"))


@pytest.mark.parametrize(
    ("emit", "expected"),
    [
        (
            lambda telemetry: telemetry.token_refresh(WHO, "refreshed"),
            'slotkeeper_token_refreshes_total{result="refreshed"}',
        ),
        (
            lambda telemetry: telemetry.reauth_required(WHO, "grant_refused"),
            'slotkeeper_reauths_required_total{cause="grant_refused"}',
        ),
        (
            lambda telemetry: telemetry.integration_connected(WHO, recovered=True),
            'slotkeeper_connects_total{recovered="true"}',
        ),
        (
            lambda telemetry: telemetry.integration_disconnected(WHO, "erased"),
            'slotkeeper_disconnects_total{result="erased"}',
        ),
        (
            lambda telemetry: telemetry.webhook_received("stored"),
            'slotkeeper_webhooks_received_total{result="stored"}',
        ),
        (
            lambda telemetry: telemetry.webhook_applied("invitee.created", "applied"),
            'slotkeeper_webhooks_applied_total{kind="invitee.created",result="applied"}',
        ),
        (
            lambda telemetry: telemetry.availability_read("slots", "stale"),
            'slotkeeper_availability_reads_total{freshness="stale",kind="slots"}',
        ),
        (
            lambda telemetry: telemetry.availability_sync(WHO, "synced"),
            'slotkeeper_availability_syncs_total{result="synced"}',
        ),
        (
            lambda telemetry: telemetry.booking_command("cancel", "done"),
            'slotkeeper_booking_commands_total{operation="cancel",result="done"}',
        ),
        (
            lambda telemetry: telemetry.subscription_checked(WHO, "created"),
            'slotkeeper_subscription_checks_total{result="created"}',
        ),
        (
            lambda telemetry: telemetry.circuit_opened("oauth", 5, UNTIL),
            'slotkeeper_circuit_trips_total{surface="oauth"}',
        ),
        (
            lambda telemetry: telemetry.subscription_replaced(WHO, "disabled", UNTIL),
            'slotkeeper_subscriptions_replaced_total{reason="disabled"}',
        ),
        (
            lambda telemetry: telemetry.invitee_erased(EVENT, 1, 2, 0),
            'slotkeeper_erasures_total{result="finished"}',
        ),
        (
            lambda telemetry: telemetry.invitee_erased(EVENT, 1, 2, 3),
            'slotkeeper_erasures_total{result="unreadable"}',
        ),
        (
            lambda telemetry: telemetry.erasure_unfinished(EVENT),
            'slotkeeper_erasures_total{result="unfinished"}',
        ),
        (
            lambda telemetry: telemetry.availability_skipped(WHO, "event_types", 1),
            'slotkeeper_availability_skipped_total{kind="event_types"}',
        ),
        (
            lambda telemetry: telemetry.bookings_unreadable(WHO, 1),
            "slotkeeper_bookings_unreadable_total",
        ),
        (
            lambda telemetry: telemetry.bookings_repaired(WHO, 1),
            "slotkeeper_bookings_repaired_total",
        ),
    ],
)
def test_each_flow_has_its_counter(emit: Emit, expected: str) -> None:
    """Each signal is counted once, under its own name and labels, and nowhere else."""
    telemetry = new_telemetry()

    emit(telemetry)

    assert counted(telemetry) == {expected: 1.0}


@pytest.mark.parametrize(("state", "shown"), [("closed", 0), ("half_open", 1), ("open", 2)])
def test_a_circuit_is_a_gauge(state: str, shown: int) -> None:
    """A surface shows its latest state as a number; one that was never read shows closed."""
    telemetry = new_telemetry()
    telemetry.circuit_seen("api", "open")

    telemetry.circuit_seen("api", state)

    assert f'slotkeeper_circuit_state{{surface="api"}} {shown}.0' in telemetry.render().decode()
    assert 'slotkeeper_circuit_state{surface="oauth"} 0.0' in telemetry.render().decode()


@pytest.mark.parametrize(("seconds", "warned"), [(4.9, False), (5, True), (-62, True)])
def test_a_skewed_clock_is_shown(output: LogOutput, seconds: float, warned: bool) -> None:
    """The gauge shows the skew with its sign; from 5 s on the log warns."""
    telemetry = new_telemetry()

    telemetry.clock_compared(timedelta(seconds=seconds))

    shown = f"slotkeeper_clock_skew_seconds {float(seconds)}"
    assert shown in telemetry.render().decode()
    assert ("clock_skewed" in output.text) is warned


def test_schedules_that_fail_are_shown(output: LogOutput) -> None:
    """The gauge is 1 for a missing and for a different schedule, and 0 again once they are back."""
    telemetry = new_telemetry()
    shown = 'slotkeeper_schedules_missing{{schedule="{}"}} {}'.format

    telemetry.schedules_compared(ScheduleFaults((APPLY_WEBHOOKS_ID,), (FILL_GAPS_ID,)))
    failing = telemetry.render().decode()
    telemetry.schedules_compared(ScheduleFaults())
    sound = telemetry.render().decode()

    for schedule in SCHEDULED:
        failed = schedule in {APPLY_WEBHOOKS_ID, FILL_GAPS_ID}
        assert shown(schedule, float(failed)) in failing
        assert shown(schedule, "0.0") in sound
    assert output.text.count("schedules_missing") == 1


def test_counts_add_up() -> None:
    """Repeated signals add up; a repair counts every booking."""
    telemetry = new_telemetry()

    for _ in range(3):
        telemetry.webhook_received("duplicate")
    telemetry.bookings_repaired(WHO, 4)
    telemetry.bookings_repaired(WHO, 0)

    assert counted(telemetry) == {
        'slotkeeper_webhooks_received_total{result="duplicate"}': 3.0,
        "slotkeeper_bookings_repaired_total": 4.0,
    }


def test_a_label_that_calendly_or_a_caller_chose_becomes_other() -> None:
    """Unknown kinds, and texts that are not codes, cannot multiply the series."""
    telemetry = new_telemetry()

    telemetry.webhook_applied("routing_form_submission.created", "ignored")
    telemetry.webhook_applied("made up by somebody", "ignored")
    telemetry.webhook_received("joe@example.com")

    assert counted(telemetry) == {
        'slotkeeper_webhooks_applied_total{kind="other",result="ignored"}': 2.0,
        'slotkeeper_webhooks_received_total{result="other"}': 1.0,
    }


def test_no_id_reaches_a_metric() -> None:
    """The integration's id is in the log and in no label."""
    telemetry = new_telemetry()

    telemetry.token_refresh(WHO, "calendly_unavailable")
    telemetry.reauth_required(WHO, "grant_refused")
    telemetry.availability_sync(WHO, "calendly_throttled")
    telemetry.subscription_checked(WHO, "calendly_forbidden")
    telemetry.bookings_repaired(WHO, 2)
    telemetry.integration_connected(WHO, recovered=False)
    telemetry.integration_disconnected(WHO, "erased_unrevoked")

    assert str(WHO) not in telemetry.render().decode()


def test_the_first_event_of_its_kind_is_an_increase() -> None:
    """Series that alerts look at are there, at zero, before anything happens."""
    shown = new_telemetry().render().decode()

    for series in (
        'slotkeeper_token_refreshes_total{result="client_refused"}',
        'slotkeeper_reauths_required_total{cause="refresh_outcome_lost"}',
        'slotkeeper_connects_total{recovered="true"}',
        'slotkeeper_disconnects_total{result="erased_unrevoked"}',
        'slotkeeper_connect_confirmations_total{result="another_user"}',
        'slotkeeper_webhooks_received_total{result="mismatch"}',
        'slotkeeper_webhooks_received_total{result="malformed_body"}',
        'slotkeeper_webhooks_applied_total{kind="invitee.created",result="dead_lettered"}',
        'slotkeeper_webhooks_applied_total{kind="other",result="ignored"}',
        'slotkeeper_availability_reads_total{freshness="expired",kind="slots"}',
        'slotkeeper_availability_syncs_total{result="partly"}',
        'slotkeeper_booking_commands_total{operation="book",result="slot_taken"}',
        'slotkeeper_subscription_checks_total{result="kept_failing"}',
        'slotkeeper_subscription_checks_total{result="replaced"}',
        'slotkeeper_erasures_total{result="unfinished"}',
        "slotkeeper_bookings_repaired_total",
    ):
        assert f"{series} 0.0\n" in shown
    assert counted(new_telemetry()) == {}


def test_an_event_that_could_not_be_applied_is_logged_by_class_and_location(
    output: LogOutput,
) -> None:
    """An operator reads which event failed, with what class of error and where."""
    new_telemetry().webhook_apply_failed(EVENT, "KeyError", "application/x.py:3 in settle")

    entry = output.entry
    assert (entry["level"], entry["event"]) == ("warning", "webhook_apply_failed")
    assert (entry["event_id"], entry["error_type"]) == (str(EVENT), "KeyError")
    assert entry["location"] == "application/x.py:3 in settle"


@pytest.mark.parametrize(
    ("kind", "logged"),
    [
        ("contact.created", "contact.created"),
        ("joe@example.com\n{}", "joe?example.com???"),
        ("k" * 100, "k" * 64),
    ],
)
def test_an_unknown_kind_is_logged(output: LogOutput, kind: str, logged: str) -> None:
    """A kind that we do not know is in the log, short and harmless, with the event's id."""
    new_telemetry().unknown_webhook_stored(EVENT, kind)

    entry = output.entry
    assert (entry["level"], entry["kind"], entry["event_id"]) == ("info", logged, str(EVENT))


def test_two_registries_do_not_mix() -> None:
    """Each set of counters is its own: nothing is registered globally."""
    one, other = new_telemetry(), new_telemetry()

    one.webhook_received("stored")

    assert counted(other) == {}


def test_the_running_version_is_shown() -> None:
    """A dashboard can tell which version runs."""
    assert b'slotkeeper_build_info{version="1.2.3"} 1.0' in new_telemetry().render()


def test_what_went_wrong_is_a_warning_with_its_code(output: LogOutput) -> None:
    """A failed flow is logged with a stable event, the error code and the integration."""
    new_telemetry().token_refresh(WHO, "calendly_unavailable")

    entry = output.entry
    assert (entry["level"], entry["event"]) == ("warning", "token_refresh_failed")
    assert (entry["error_code"], entry["integration_id"]) == ("calendly_unavailable", str(WHO))


def test_what_went_well_is_quiet(output: LogOutput) -> None:
    """Success is counted and appears in the log only at level debug."""
    telemetry = new_telemetry()

    telemetry.token_refresh(WHO, "refreshed")
    telemetry.webhook_received("stored")
    telemetry.booking_command("book", "repeated")

    assert {entry["level"] for entry in output.entries} == {"debug"}


def test_a_circuit_tells_when_it_opens_and_closes(output: LogOutput) -> None:
    """An operator reads which part of Calendly is held back, until when, and when that is over."""
    telemetry = new_telemetry()

    telemetry.circuit_opened("oauth", 5, UNTIL)
    telemetry.circuit_closed("oauth")

    opened, closed = output.entries
    assert (opened["level"], opened["event"]) == ("warning", "circuit_opened")
    assert (opened["surface"], opened["failures"]) == ("oauth", 5)
    assert opened["open_until"] == "2026-11-22T09:01:00+00:00"
    assert (closed["level"], closed["event"]) == ("info", "circuit_closed")
    assert closed["surface"] == "oauth"


def test_a_need_for_a_person_is_logged(output: LogOutput) -> None:
    """An operator reads which integration needs a person, and that webhooks were lost."""
    telemetry = new_telemetry()

    telemetry.reauth_required(WHO, "refresh_outcome_lost")
    telemetry.bookings_repaired(WHO, 3)

    logged = [(entry["level"], entry["event"]) for entry in output.entries]
    assert logged == [("warning", "reauth_required"), ("warning", "bookings_repaired")]
    assert output.entries[0]["cause"] == "refresh_outcome_lost"
    assert output.entries[1]["count"] == 3


def test_the_end_of_an_account_is_logged(output: LogOutput) -> None:
    """An operator reads which integration recovered, was replaced, or was erased unrevoked."""
    telemetry = new_telemetry()

    telemetry.integration_recovered(WHO, "grant_refused")
    telemetry.integration_replaced(WHO, OTHER)
    telemetry.integration_disconnected(WHO, "erased")
    telemetry.integration_disconnected(WHO, "erased_unrevoked")

    recovered, replaced, *disconnected = output.entries
    assert [recovered["event"], recovered["cause"]] == ["integration_recovered", "grant_refused"]
    assert [replaced["event"], replaced["replaced_by"]] == ["integration_replaced", str(OTHER)]
    assert [(each["level"], each["event"]) for each in disconnected] == [
        ("info", "integration_disconnected"),
        ("warning", "integration_erased_unrevoked"),
    ]
    assert {entry["integration_id"] for entry in output.entries} == {str(WHO)}


def test_a_replaced_subscription_says_since_when(output: LogOutput) -> None:
    """An operator reads what was wrong, whose it is, and since when webhooks may be missing."""
    new_telemetry().subscription_replaced(WHO, "disabled", UNTIL)
    new_telemetry().bookings_repaired(WHO, 2)

    replaced, repaired = output.entries
    assert (replaced["event"], replaced["level"]) == ("subscription_replaced", "warning")
    assert replaced["reason"] == "disabled"
    assert replaced["lost_since"] == UNTIL.isoformat()
    assert (repaired["error_code"], repaired["count"]) == ("webhooks_lost", 2)


def test_an_erasure_is_logged_by_numbers_alone(output: LogOutput) -> None:
    """An erasure is logged with its id and counts, as a warning when something did not open."""
    telemetry = new_telemetry()

    telemetry.invitee_erased(UUID(int=1), 2, 3, 0)
    telemetry.invitee_erased(UUID(int=2), 0, 0, 4)

    counts = ("erasure_id", "bookings", "webhook_events", "unreadable")
    logged = [(line["level"], *(line[name] for name in counts)) for line in output.entries]
    assert logged == [
        ("info", str(UUID(int=1)), 2, 3, 0),
        ("warning", str(UUID(int=2)), 0, 0, 4),
    ]


def test_a_users_erasure_is_logged_by_numbers_alone(output: LogOutput) -> None:
    """A user's erasure is logged with its id and counts, as a warning when a job did not start."""
    telemetry = new_telemetry()

    telemetry.user_erased(UUID(int=1), 2, 2)
    telemetry.user_erased(UUID(int=2), 2, 1)

    counts = ("event", "level", "erasure_id", "integrations", "started")
    assert [tuple(line[name] for name in counts) for line in output.entries] == [
        ("user_erased", "info", str(UUID(int=1)), 2, 2),
        ("user_erased", "warning", str(UUID(int=2)), 2, 1),
    ]
