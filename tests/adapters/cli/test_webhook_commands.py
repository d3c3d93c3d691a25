import asyncio
from typing import NamedTuple
from uuid import UUID

import msgspec
import pytest
from click.testing import CliRunner

from adapters.cli import main
from adapters.persistence.bulkheads import Bulkhead
from adapters.persistence.storage import open_storage
from adapters.security.vault import KeyRingVault
from application.ports.storage.webhook_events import NewEvent, WebhookEvent
from domain.audit import AuditAction, AuditEntry
from domain.ids import WebhookEventId
from domain.secret import Secret
from tests.adapters.sound_environ import SOUND
from tests.fakes.calendly import bodies
from tests.fakes.clock import NOON
from tests.fakes.randomness import FakeRandomness

EMAIL = "grace@example.net"


class Ended(NamedTuple):
    """A command that ended, with both of its outputs."""

    code: int | None
    output: str
    errors: str


async def slotkeeper(database_url: Secret, *arguments: str, given: str = "") -> Ended:
    """Run the command line in a thread, as it has a loop of its own; Temporal is not there."""
    environ = SOUND | {"DATABASE_URL": database_url.reveal(), "TEMPORAL_ADDRESS": "127.0.0.1:1"}
    result = await asyncio.to_thread(CliRunner().invoke, main, arguments, input=given, env=environ)
    return Ended(result.exit_code, result.stdout, result.stderr)


@pytest.fixture
async def dead(database_url: Secret) -> list[str]:
    """Two dead letters; their ids, the older one first."""
    keys = SOUND["TOKEN_ENCRYPTION_KEYS"].split(",")
    pairs = [each.partition(":") for each in keys]
    vault = KeyRingVault({key_id: Secret(key) for key_id, _, key in pairs})
    randomness, ids = FakeRandomness(), []
    async with open_storage(database_url, vault, Bulkhead(size=1)) as storage, storage() as uow:
        for number in range(2):
            event = WebhookEvent(
                id=WebhookEventId(randomness.new_id()),
                dedupe_key=str(number),
                kind="invitee.created",
                body=bodies.webhook("invitee.created", bodies.payload()),
                received_at=NOON,
                occurred_at=NOON,
            )
            await uow.webhook_events.store([NewEvent(event)])
            await uow.webhook_events.failed(event.id, "unexpected", None)
            ids.append(str(event.id))
        await uow.commit()
    return ids


async def test_listing(database_url: Secret, dead: list[str]) -> None:
    """The latest come first, with reasons, without personal data; the output says if more follow."""
    every = await slotkeeper(database_url, "webhooks", "list", "--status", "dead_lettered")
    first = await slotkeeper(database_url, "webhooks", "list", "--limit", "1")
    rest = await slotkeeper(database_url, "webhooks", "list", "--after", dead[1])
    none = await slotkeeper(database_url, "webhooks", "list", "--reason", "other")

    assert [line.split()[0] for line in every.output.splitlines()] == ["id", *dead[::-1]]
    assert "unexpected" in every.output
    assert EMAIL not in every.output
    assert first.output.splitlines()[-1] == f"More: --after {dead[1]}"
    assert rest.output.splitlines()[1].startswith(dead[0])
    assert none.output == "There are none.\n"


async def test_showing(database_url: Secret, dead: list[str]) -> None:
    """One is shown without its body; with it only on request, and without acting links."""
    plain = await slotkeeper(database_url, "webhooks", "show", dead[0])
    full = await slotkeeper(database_url, "webhooks", "show", dead[0], "--body")

    assert "reason           unexpected" in plain.output
    assert EMAIL not in plain.output
    assert EMAIL in full.output
    assert "cancellations/" not in full.output


async def test_replaying(database_url: Secret, dead: list[str]) -> None:
    """One or all dead letters are put back while Temporal is down; it is recorded."""
    one = await slotkeeper(database_url, "webhooks", "replay", dead[0])
    rest = await slotkeeper(
        database_url, "webhooks", "replay", "--dead-lettered", "--reason", "unexpected"
    )
    shown = await slotkeeper(database_url, "webhooks", "show", dead[0])

    assert one.output == "Queued again: invitee.created of 2026-11-22 12:00:00 UTC.\n"
    assert rest.output == "Queued again: 1.\n"
    assert "status           pending" in shown.output
    assert "replays          1" in shown.output
    assert "replayed_by      cli" in shown.output


async def test_what_is_not_there(database_url: Secret) -> None:
    """An id that names nothing is one message with its code."""
    ended = await slotkeeper(database_url, "webhooks", "show", str(FakeRandomness().new_id()))

    assert ended.code == 1
    assert ended.errors.startswith("Error (webhook_event_not_found): ")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["00000000-0000-0000-0000-000000000001", "--dead-lettered"],
        ["00000000-0000-0000-0000-000000000001", "--reason", "x"],
        ["nonsense"],
    ],
)
def test_either_one_event_or_all_are_replayed(arguments: list[str]) -> None:
    """One by its id or all dead letters, not both and not neither."""
    ended = CliRunner().invoke(main, ["webhooks", "replay", *arguments])

    assert ended.exit_code == 2


@pytest.mark.parametrize("by_stdin", [True, False])
async def test_erasing(database_url: Secret, dead: list[str], *, by_stdin: bool) -> None:
    """A person is erased by an address that no output, and no log line, ever holds."""
    argument, given = ("-", f"{EMAIL}\n") if by_stdin else (EMAIL.upper(), "")

    ended = await slotkeeper(database_url, "erase-invitee", argument, given=given)
    shown = await slotkeeper(database_url, "webhooks", "show", dead[0], "--body")

    assert ended.code == 0
    assert "Stored webhooks rewritten: 2." in ended.output
    assert EMAIL not in (ended.output + ended.errors).lower()
    assert EMAIL not in shown.output


async def test_what_is_no_address(database_url: Secret) -> None:
    """A value that is not an address is refused without being repeated."""
    ended = await slotkeeper(database_url, "erase-invitee", "grace at example")

    assert ended.code == 1
    assert ended.errors.startswith("Error (invalid_input): ")
    assert "grace" not in ended.errors


async def test_each_command_leaves_an_entry_in_the_audit_trail(
    database_url: Secret, dead: list[str]
) -> None:
    """Lists, bodies that are shown, replays and erasures are recorded, and no person is named."""
    first, _ = dead
    commands = [
        ("webhooks", "list"),
        ("webhooks", "show", first),
        ("webhooks", "show", first, "--body"),
        ("webhooks", "replay", first),
        ("webhooks", "replay", "--dead-lettered"),
        ("erase-invitee", EMAIL),
        ("erase-user", "ada"),
        ("erasures", "export", "-"),
        ("reconcile", str(UUID(int=1))),
    ]
    codes = [(await slotkeeper(database_url, *each)).code for each in commands]

    listed = (await slotkeeper(database_url, "audit", "list", "--json")).output
    entries = [msgspec.json.decode(line, type=AuditEntry) for line in listed.splitlines()]
    # The last command failed: there is no such integration.
    assert codes == [0] * 8 + [1]
    assert [each.action for each in reversed(entries)] == [
        AuditAction.WEBHOOKS_LISTED,
        AuditAction.WEBHOOK_SHOWN,
        AuditAction.WEBHOOK_BODY_SHOWN,
        AuditAction.WEBHOOK_REPLAYED,
        AuditAction.DEAD_LETTERS_REPLAYED,
        AuditAction.INVITEE_ERASED,
        AuditAction.USER_ERASED,
        AuditAction.ERASURES_EXPORTED,
    ]
    assert {str(each.subject_id) for each in entries if each.action.startswith("webhook_")} == {
        first
    }
    assert all(each.actor.startswith("cli:") for each in entries)
    assert EMAIL not in listed
    assert '"ada"' not in listed
