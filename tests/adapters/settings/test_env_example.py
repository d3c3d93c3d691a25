import re
from pathlib import Path

import msgspec

from adapters.settings import Settings, load_settings
from tests.adapters.sound_environ import SOUND

EXAMPLE = Path(__file__).parents[3] / ".env.example"
_LINE = re.compile(r"(# )?([A-Z][A-Z0-9_]*)=(.*)")


def lines() -> dict[str, tuple[bool, str]]:
    """Return each variable's line: whether it is commented out, and its value."""
    found = [
        match for line in EXAMPLE.read_text().splitlines() if (match := _LINE.fullmatch(line))
    ]
    assert len({match[2] for match in found}) == len(found)
    return {match[2]: (match[1] is not None, match[3]) for match in found}


def test_the_example_lists_exactly_the_variables_that_are_read() -> None:
    """Every setting is in .env.example, and nothing else is."""
    assert {field.upper() for field in Settings.__struct_fields__} == set(lines())


def test_required_variables_are_to_be_filled_in_and_others_commented_out() -> None:
    """A copy of the example asks for exactly what has no default."""
    required = {field.name.upper() for field in msgspec.structs.fields(Settings) if field.required}

    assert required == {name for name, (commented, _) in lines().items() if not commented}


def test_the_defaults_in_the_example_are_the_real_ones() -> None:
    """Uncommenting a line of the example changes nothing."""
    defaults = {name: value for name, (commented, value) in lines().items() if commented}

    needed = {name: value for name, value in SOUND.items() if name not in defaults}
    assert load_settings(needed) == load_settings({**needed, **defaults})
    for field in msgspec.structs.fields(Settings):
        if not field.required:
            assert bool(defaults[field.name.upper()]) == (field.default not in (None, ()))
