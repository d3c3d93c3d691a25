"""Properties of a database without which the service fails later, each with its remedy.

They are checked where an operator looks: by `slotkeeper migrate` before it changes anything, and
by `slotkeeper doctor`.
"""

from collections.abc import AsyncIterator
from typing import Any, NamedTuple

from adapters.persistence.address import is_pooled
from adapters.persistence.errors import translated
from domain.secret import Secret

POOLER_REMEDY = (
    "Add pgbouncer=true to DATABASE_URL (after ?, or after & if it has parameters), or connect to"
    " PostgreSQL itself."
)
_ENCODING = "UTF8"
_STATE = """
SELECT current_setting('server_encoding') AS encoding, current_schema() AS schema,
    quote_ident(current_user) AS role, quote_ident(current_database()) AS database,
    pg_backend_pid() AS pid
"""
_MAY_CREATE = "SELECT has_schema_privilege($1, 'CREATE')"
# Tables of ours that another role made, and that this one may not read, write or alter.
_FORBIDDEN = """
SELECT quote_ident(c.relname) AS name FROM pg_class c
WHERE c.relnamespace = $1::regnamespace AND c.relkind = 'r'
    AND (c.relname LIKE 'calendly\\_%' OR c.relname IN ('app_user', 'api_key', 'audit_entry', 'migration'))
    AND NOT CASE WHEN $2 THEN pg_has_role(c.relowner, 'USAGE') ELSE
        has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
        AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE') END
ORDER BY c.relname
"""


class Unmet(NamedTuple):
    """A property that the database lacks, and how to give it."""

    problem: str
    remedy: str

    def __str__(self) -> str:
        """Return both, for one message."""
        return f"{self.problem}. {self.remedy}"


async def unmet_preconditions(
    connection: Any, database_url: Secret, *, migrating: bool
) -> list[Unmet]:
    """Return what the database lacks.

    Args:
        connection: asyncpg's, opened with the URL.
        database_url: says whether a pooler is known to be between.
        migrating: whether tables are to be made and altered, or only used.

    Raises:
        StorageUnavailable: PostgreSQL cannot be reached.

    """
    with translated():
        return [each async for each in _unmet(connection, database_url, migrating=migrating)]


async def _unmet(
    connection: Any, database_url: Secret, *, migrating: bool
) -> AsyncIterator[Unmet]:
    state = await connection.fetchrow(_STATE)
    if state["encoding"] != _ENCODING:
        yield Unmet(
            f"The database {state['database']} is encoded in {state['encoding']}, which cannot"
            " hold every name",
            "Create one with: createdb --encoding=UTF8 --template=template0 NAME, and set"
            " DATABASE_URL to it.",
        )
    # A pooler hands out a process id of its own (PgBouncer, BackendKeyData).
    if state["pid"] != connection.get_server_pid() and not is_pooled(database_url):
        yield Unmet("A pooler is between the service and PostgreSQL", POOLER_REMEDY)
    if state["schema"] is None:
        yield Unmet(
            f"The role {state['role']} has no schema in its search_path",
            f"Run: CREATE SCHEMA {state['role']} AUTHORIZATION {state['role']}",
        )
        return
    async for each in _unmet_rights(connection, state, migrating=migrating):
        yield each


async def _unmet_rights(connection: Any, state: Any, *, migrating: bool) -> AsyncIterator[Unmet]:
    schema, role = state["schema"], state["role"]
    if migrating and not await connection.fetchval(_MAY_CREATE, schema):
        yield Unmet(
            f"The role {role} may not create tables in the schema {schema}",
            f"Run as its owner: GRANT CREATE, USAGE ON SCHEMA {schema} TO {role}",
        )
    tables = [row["name"] for row in await connection.fetch(_FORBIDDEN, schema, migrating)]
    if tables and migrating:
        yield Unmet(
            f"The role {role} does not own {', '.join(tables)}",
            f"Run slotkeeper migrate as their owner, or for each: ALTER TABLE … OWNER TO {role}",
        )
    elif tables:
        yield Unmet(
            f"The role {role} may not read and write {', '.join(tables)}",
            "Run as their owner: GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA"
            f" {schema} TO {role}",
        )
