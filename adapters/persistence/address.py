"""The database URL, as asyncpg wants it.

Accepts the addresses that hosts of PostgreSQL hand out: both schemes, `sslmode`, a Unix socket as
`?host=/folder`, and parameters of other drivers. Those are left out if asyncpg would send them to
the server as settings. Several hosts are tried in their order, as libpq does (PostgreSQL manual,
34.1.1.3). No message quotes the URL, because it holds the password.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from domain.secret import Secret

APPLICATION_NAME = "slotkeeper"
POOLER_PORT = 6543  # Supabase: transaction mode
_SCHEMES = ("postgres", "postgresql")
_NOT_FOR_THE_SERVER = {
    "pgbouncer",
    "statement_cache_size",
    "prepared_statement_cache_size",
    "connection_limit",
    "pool_timeout",
    "connect_timeout",
    "channel_binding",
    "gssencmode",
}


def connect_arguments(
    database_url: Secret, limits: Mapping[str, int] | None = None
) -> dict[str, Any]:
    """Return the keyword arguments for `asyncpg.connect` and `asyncpg.create_pool`.

    Behind a pooler in transaction mode (`pgbouncer=true`, or port 6543) statements are not cached.
    The next one may run in another session (asyncpg: FAQ, PgBouncer).

    Args:
        database_url: of one host, or of several.
        limits: settings of each session by their names (milliseconds); not sent to a pooler.

    Raises:
        ValueError: the scheme is not PostgreSQL's, or a number is none.

    """
    parts = urlsplit(database_url.reveal())
    if parts.scheme not in _SCHEMES:
        raise ValueError("DATABASE_URL must begin with postgresql:// or postgres://.")
    _check_ports(parts)
    query = _query(parts)
    kept = {name: value for name, value in query.items() if name not in _NOT_FOR_THE_SERVER}
    arguments: dict[str, Any] = {
        "dsn": urlunsplit(parts._replace(query=urlencode(kept))),
        "timeout": _number(query, "connect_timeout", default=10),
    }
    pooled = is_pooled(database_url)
    if pooled or "statement_cache_size" in query:
        arguments["statement_cache_size"] = _number(query, "statement_cache_size", default=0)
    if not pooled:
        # A pooler refuses, or drops, settings it does not track.
        arguments["server_settings"] = {
            "application_name": query.get("application_name", APPLICATION_NAME),
            "idle_in_transaction_session_timeout": "60000",
            **{name: str(value) for name, value in (limits or {}).items()},
        }
    return arguments


def is_pooled(database_url: Secret) -> bool:
    """Return whether the address is a pooler's in transaction mode."""
    parts = urlsplit(database_url.reveal())
    named = _query(parts).get("pgbouncer", "").lower() in {"true", "1"}
    return named or any(host.endswith(f":{POOLER_PORT}") for host in hosts_of(parts))


def _query(parts: SplitResult) -> dict[str, str]:
    return dict(parse_qsl(parts.query, keep_blank_values=True))


def hosts_of(parts: SplitResult) -> list[str]:
    """Return each `host` or `host:port` of the address; `urlsplit` reads only one."""
    return parts.netloc.rpartition("@")[2].split(",")


def _check_ports(parts: SplitResult) -> None:
    for host in hosts_of(parts):
        port = host.rpartition("]")[2].partition(":")[2]
        if port and not port.isdigit():
            raise ValueError("A port in DATABASE_URL must be a whole number.")


def _number(query: dict[str, str], name: str, *, default: int) -> int:
    try:
        return int(query.get(name, default))
    except ValueError:
        raise ValueError(f"{name} in DATABASE_URL must be a whole number.") from None
