"""The page on data: each column of each table is classified, once, in one of the forms."""

import re

import pytest

from adapters.persistence.piccolo_app import APP_CONFIG
from tests.docs.pages import page

DATA = page("docs/data.md")
_TABLE = re.compile(r"^### `(\w+)`$(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
_ROW = re.compile(r"^\| (`.+?`) \| ([\w ]+) \| ([\w ]+) \| (.*)\|$", re.MULTILINE)
_NAME = re.compile(r"`(\w+)`")
KINDS = {"personal", "secret", "identifier", "none"}
FORMS = {"plain", "sealed", "hashed", "keyed hash"}
COLUMNS = {
    table._meta.tablename: [column._meta.name for column in table._meta.columns]
    for table in APP_CONFIG.table_classes
}
SECTIONS = dict(_TABLE.findall(DATA.text))


def classified(table: str) -> list[tuple[str, str, str]]:
    """Return each column of a table's section with its kind and form."""
    return [
        (name, kind, form)
        for names, kind, form, _ in _ROW.findall(SECTIONS[table])
        for name in _NAME.findall(names)
    ]


def test_every_table_has_a_section() -> None:
    """A table that is new to the schema has its section, and none is left of a dropped one."""
    assert sorted(SECTIONS) == sorted(COLUMNS)


@pytest.mark.parametrize("table", sorted(COLUMNS))
def test_every_column_is_classified_once(table: str) -> None:
    """A column that is new to a table has a kind and a form."""
    rows = classified(table)

    assert sorted(name for name, _, _ in rows) == sorted(COLUMNS[table])
    assert {kind for _, kind, _ in rows} <= KINDS
    assert {form for _, _, form in rows} <= FORMS


@pytest.mark.parametrize("table", sorted(COLUMNS))
def test_the_form_agrees_with_the_name(table: str) -> None:
    """Sealed and hashed columns are those whose names tell so, and no secret is plain."""
    for name, kind, form in classified(table):
        assert (form == "sealed") == name.endswith("_sealed"), name
        assert (form in {"hashed", "keyed hash"}) >= name.endswith("_hash"), name
        assert (kind, form) != ("secret", "plain"), name


@pytest.mark.parametrize("table", sorted(COLUMNS))
def test_each_section_says_how_long(table: str) -> None:
    """A section begins with a sentence on how long its rows stay."""
    introduction = SECTIONS[table].partition("\n|")[0]

    assert re.search(r"[Kk]ept|[Dd]eleted|stay|one row each", introduction), introduction
