import io
import logging
import sys
import warnings
from datetime import UTC, datetime, timedelta

import pytest
import structlog

from adapters.telemetry.logs import configure_logging
from domain.errors import ReauthRequired
from domain.secret import Secret
from tests.adapters.log_output import LogOutput

log = structlog.get_logger("slotkeeper.test")


def fail_with_a_local_secret() -> None:
    """Raise where a secret is at hand in a local variable."""
    refresh_token = Secret("local-s3cret")
    plain = refresh_token.reveal() + " in a local variable"
    raise ReauthRequired(f"{len(plain)} characters: connect again.", cause="grant_refused")


def test_an_entry_is_one_json_object_a_line(output: LogOutput) -> None:
    """Every entry is one line, even if its values have several."""
    log.info("first", note="two\nlines")
    log.warning("second")

    assert [entry["event"] for entry in output.entries] == ["first", "second"]
    assert output.text.count("\n") == 2


def test_an_entry_says_when_how_grave_and_who(output: LogOutput) -> None:
    """An entry has a UTC timestamp, a level, an event and the logger's name."""
    log.warning("token_refresh_failed", error_code="grant_refused")

    entry = output.entry
    stamped = datetime.fromisoformat(entry.pop("timestamp"))
    assert entry == {
        "level": "warning",
        "event": "token_refresh_failed",
        "logger": "slotkeeper.test",
        "error_code": "grant_refused",
    }
    assert stamped.utcoffset() == timedelta()
    assert abs(datetime.now(UTC) - stamped) < timedelta(minutes=1)


def test_a_library_s_entry_goes_through_the_same_chain(output: LogOutput) -> None:
    """Entries of uvicorn and Temporal have the same form and the same redaction."""
    logging.getLogger("uvicorn.error").warning(
        "refused %s for %s", "Bearer abcdef123456", "a@b.ch"
    )

    entry = output.entry
    assert entry["event"] == "refused Bearer [redacted] for [redacted]"
    assert entry["logger"] == "uvicorn.error"
    assert entry["level"] == "warning"


def test_the_ids_at_hand_are_on_every_entry(output: LogOutput) -> None:
    """Ids that are bound to the context are on our entries and on the libraries'."""
    with structlog.contextvars.bound_contextvars(request_id="r-1", integration_id="i-1"):
        log.info("ours")
        logging.getLogger("library").info("theirs")

    assert [(entry["request_id"], entry["integration_id"]) for entry in output.entries] == [
        ("r-1", "i-1"),
        ("r-1", "i-1"),
    ]


def test_a_workflow_s_identity_becomes_fields(output: LogOutput) -> None:
    """The identity that Temporal's SDK attaches to an entry is searchable, and only that."""
    workflow = {"workflow_id": "w-1", "run_id": "r-1", "attempt": 2, "namespace": "default"}

    logging.getLogger("temporalio.workflow").info("done", extra={"temporal_workflow": workflow})

    entry = output.entry
    assert (entry["workflow_id"], entry["run_id"], entry["attempt"]) == ("w-1", "r-1", 2)
    assert "namespace" not in entry


def test_an_exception_is_logged_without_local_variables(output: LogOutput) -> None:
    """A traceback names files and lines, the error its code; no variable's value appears."""
    try:
        fail_with_a_local_secret()
    except ReauthRequired:
        log.exception("work_failed")

    entry = output.entry
    assert entry["error_code"] == "reauth_required"
    assert entry["error_type"] == "ReauthRequired"
    assert "fail_with_a_local_secret" in entry["exception"]
    assert "connect again" in entry["exception"]
    assert "local-s3cret" not in output.text


def test_a_secret_in_an_exception_s_message_is_redacted(output: LogOutput) -> None:
    """The message of a library's exception is redacted like everything else."""
    cause = ValueError("no mail to joe.doe+x@example.com")
    error = OSError("GET https://u:pw@h.example/x?code=abc123&b=1 failed")
    error.__cause__ = cause

    logging.getLogger("library").error("failed for joe@example.com", exc_info=error)

    assert "joe" not in output.text
    assert "abc123" not in output.text
    assert ":pw@" not in output.text
    assert "b=1 failed" in output.text


def test_an_error_that_ends_the_process_is_logged_redacted(output: LogOutput) -> None:
    """A crash goes to the log, not unredacted to the terminal."""
    error = RuntimeError("token=abcdef for joe@example.com")

    sys.excepthook(type(error), error, None)

    assert output.entry["event"] == "process_crashed"
    assert output.entry["level"] == "critical"
    assert "abcdef" not in output.text


def test_a_lost_entry_is_reported_without_its_values(
    output: LogOutput, capfd: pytest.CaptureFixture[str]
) -> None:
    """A malformed entry of a library costs a line that names only the logger."""
    record = logging.makeLogRecord({"name": "library", "msg": "%s and %s", "args": ("hunter2",)})

    logging.getLogger().handlers[0].handle(record)

    assert output.text == ""
    assert capfd.readouterr().err == "A log entry of library was lost: TypeError\n"


def test_warnings_are_logged(output: LogOutput) -> None:
    """Python's warnings are in the log."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        configure_logging("info", "json", output.stream)
        warnings.warn("old ways", DeprecationWarning, stacklevel=1)

    assert "old ways" in output.entry["event"]
    assert output.entry["logger"] == "py.warnings"


def test_libraries_that_log_addresses_are_quiet_at_info(output: LogOutput) -> None:
    """An HTTP client's line with a full URL is not written below a warning, at any level."""
    for name in ("httpx", "httpcore.connection", "aiohttp.access", "uvicorn.access"):
        logging.getLogger(name).info("GET https://api.example/x?email=a%40b.ch")

    assert output.text == ""


def test_the_level_holds(output: LogOutput) -> None:
    """Below the configured level nothing is written, ours or a library's."""
    configure_logging("warning", "json", output.stream)

    log.info("quiet")
    logging.getLogger("library").info("quiet")
    log.error("loud")

    assert output.entry["event"] == "loud"


def test_the_console_is_readable_and_redacted() -> None:
    """For people an entry is a line of text without colours unless at a terminal."""
    stream = io.StringIO()
    configure_logging("info", "console", stream)

    log.info("connected", invitee_email="joe@example.com", recovered=True)

    assert "connected" in stream.getvalue()
    assert "recovered=True" in stream.getvalue()
    assert "joe" not in stream.getvalue()
    assert "\x1b[" not in stream.getvalue()


def test_a_later_configuration_replaces_the_earlier(output: LogOutput) -> None:
    """Configuring twice writes each entry once."""
    later = LogOutput()
    configure_logging("info", "json", later.stream)

    log.info("once")

    assert output.text == ""
    assert later.entry["event"] == "once"
