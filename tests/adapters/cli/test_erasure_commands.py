from pathlib import Path

import pytest

from domain.secret import Secret
from tests.adapters.cli.test_webhook_commands import EMAIL, slotkeeper


async def test_export_and_apply(database_url: Secret, tmp_path: Path) -> None:
    """The file names no person, only its owner can read it, and it can be applied."""
    file = tmp_path / "erasures.json"
    await slotkeeper(database_url, "erase-invitee", EMAIL)
    erased = await slotkeeper(database_url, "erase-user", "-", given="ada@example.com\n")

    exported = await slotkeeper(database_url, "erasures", "export", str(file))
    applied = await slotkeeper(database_url, "erasures", "apply", str(file))

    assert "\nErasure " in f"\n{erased.output}"
    assert (exported.code, applied.code) == (0, 0)
    assert file.stat().st_mode & 0o777 == 0o600
    text = file.read_text(encoding="utf-8")
    assert "ada@example.com" not in text + erased.output
    assert EMAIL not in text
    assert "Erasures in the file: 2." in applied.output


async def test_the_standard_output(database_url: Secret) -> None:
    """Without a file the export goes to the standard output, and "-" reads it again."""
    exported = await slotkeeper(database_url, "erasures", "export")

    applied = await slotkeeper(database_url, "erasures", "apply", "-", given=exported.output)

    assert (exported.code, applied.code) == (0, 0)
    assert "Erasures in the file: 0." in applied.output


@pytest.mark.parametrize("text", ["", "{}", '{"mac":"","content":{}}'])
async def test_another_file(database_url: Secret, text: str) -> None:
    """A file of another kind is refused with one message."""
    ended = await slotkeeper(database_url, "erasures", "apply", "-", given=text)

    assert ended.code == 1
    assert ended.errors.startswith("Error (invalid_input): This is not a whole file")
