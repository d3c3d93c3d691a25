"""Whether the connections to PostgreSQL and Temporal are encrypted beyond this machine."""

from collections.abc import Iterator, Mapping
from urllib.parse import parse_qs, urlsplit

from temporalio.envconfig import ClientConfig

from adapters.doctor.finding import Finding, advice
from adapters.persistence.address import hosts_of
from adapters.variables.loopback import is_loopback
from domain.secret import Secret

_ENCRYPTED = frozenset({"require", "verify-ca", "verify-full"})


def check_database_transport(database_url: Secret, environ: Mapping[str, str]) -> list[Finding]:
    """Advise on TLS, if PostgreSQL is elsewhere and may be spoken to without it."""
    remote = [each for each in _hosts(database_url) if not _is_local(each)]
    query = parse_qs(urlsplit(database_url.reveal()).query)
    mode = query.get("sslmode", [environ.get("PGSSLMODE", "prefer")])[-1]
    if not remote or mode in _ENCRYPTED:
        return []
    return [
        advice(
            "Database TLS",
            f"sslmode is {mode}, so the connection to {', '.join(remote)} may not be encrypted",
            "Add sslmode=verify-full to DATABASE_URL (require, if its certificate cannot be"
            " verified).",
        )
    ]


def check_temporal_transport(address: str) -> list[Finding]:
    """Advise on TLS, if Temporal is elsewhere and its own variables ask for none."""
    if is_loopback(f"//{address}") or ClientConfig.load_client_connect_config().get("tls"):
        return []
    return [
        advice(
            "Temporal TLS",
            f"the connection to {address} is not encrypted",
            "Set TEMPORAL_TLS=true, or TEMPORAL_API_KEY, as Temporal's own client does.",
        )
    ]


def _hosts(database_url: Secret) -> Iterator[str]:
    parts = urlsplit(database_url.reveal())
    named = parse_qs(parts.query).get("host")
    yield from map(str.strip, named[-1].split(",") if named else hosts_of(parts))


def _is_local(host: str) -> bool:
    """Whether libpq's host is this machine: empty, or a path, is a Unix socket."""
    return not host or host.startswith(("/", "%2F", "%2f", ":")) or is_loopback(f"//{host}")
