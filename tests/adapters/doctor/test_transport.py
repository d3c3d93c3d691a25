"""Advice on TLS to PostgreSQL and Temporal."""

import pytest

from adapters.doctor.examination import is_healthy
from adapters.doctor.transport import check_database_transport, check_temporal_transport
from domain.secret import Secret

P = "postgresql://slotkeeper:p4ss@"


@pytest.mark.parametrize(
    ("url", "advised"),
    [
        (f"{P}127.0.0.1:5432/x", ""),
        (f"{P}localhost/x", ""),
        (f"{P}[::1]:5432/x", ""),
        ("postgresql:///x?host=/run/postgresql", ""),
        (f"{P}%2Frun%2Fpostgresql/x", ""),
        (f"{P}db.internal/x?sslmode=require", ""),
        (f"{P}db.internal/x?sslmode=verify-full", ""),
        (f"{P}db.internal:5432/x", "db.internal:5432"),
        (f"{P}db.internal/x?sslmode=prefer", "db.internal"),
        (f"{P}db.internal/x?sslmode=disable", "db.internal"),
        (f"{P}127.0.0.1,replica:5433/x", "replica:5433"),
        ("postgresql:///x?host=db.internal", "db.internal"),
    ],
)
def test_a_database_elsewhere_is_spoken_to_over_tls(url: str, advised: str) -> None:
    """Only a connection beyond this machine that may go without TLS gets advice."""
    findings = check_database_transport(Secret(url), {})

    assert bool(findings) is bool(advised)
    assert all(f"connection to {advised} may" in each.detail for each in findings)
    assert "p4ss" not in repr(findings)
    assert is_healthy(findings)


def test_the_mode_may_come_from_libpqs_variable() -> None:
    """PGSSLMODE is read where the address has no sslmode."""
    url = Secret(f"{P}db.internal/x")

    assert check_database_transport(url, {"PGSSLMODE": "verify-full"}) == []
    assert check_database_transport(url, {"PGSSLMODE": "allow"}) != []


@pytest.mark.parametrize(
    ("address", "environ", "advised"),
    [
        ("localhost:7233", {}, False),
        ("127.0.0.1:7233", {}, False),
        ("temporal.internal:7233", {}, True),
        ("temporal.internal:7233", {"TEMPORAL_TLS": "true"}, False),
        ("temporal.internal:7233", {"TEMPORAL_API_KEY": "key"}, False),
    ],
)
def test_a_temporal_elsewhere_is_spoken_to_over_tls(
    monkeypatch: pytest.MonkeyPatch, address: str, environ: dict[str, str], advised: bool
) -> None:
    """Temporal's own variables decide about TLS, as for the service's client."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    assert bool(check_temporal_transport(address)) is advised
