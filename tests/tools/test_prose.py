import io
import tokenize
from pathlib import Path

import pytest

from tools.language import python_source
from tools.language.rules import read_words
from tools.plain_english import check_text
from tools.tracked import ROOT


def lines(path: str, text: str) -> list[int]:
    """Return the line numbers of the findings in a file's text."""
    return [each.line for each in check_text(Path(path), text)]


MODULE = '''"""Reads rows.

Args:
    patience: how long to wait.
    rows: nobody's rows.

Sends them
anew.
"""

# The first line,
# told in two.
limit = 1  # at once

def run(key):
    """Run `patience` as ``whom``."""
    raise KeyError(f"{key} is stored by nobody")
    log.info("token_told", told=key)
    option(help="Whom?")
    name = "lest"
    execute("SELECT told FROM nobody WHERE whom")
    text = "three words told"
'''


def test_docstrings_comments_and_messages_of_a_module_are_read() -> None:
    """Each finding has its own line; names, code and SQL are not prose."""
    assert lines("domain/rule.py", MODULE) == [5, 8, 12, 13, 17, 18, 19, 22]


TABLE = '''"""Lists the states.

    open    told to nobody
      whom  a row of the same table

This is told.

Args:
    key: the key.

    row: nobody's row.
"""
'''


def test_a_table_in_a_docstring_is_not_prose() -> None:
    """An indented block is a drawing, unless it belongs to a section such as `Args:`."""
    assert lines("domain/rule.py", TABLE) == [6, 11]


def test_data_of_a_test_is_not_prose() -> None:
    """A test's strings are its data, apart from those that it raises or asserts."""
    text = 'x = "is told by nobody"\nassert x, "is told to x"\nraise E("this is told")\n'

    assert lines("tests/test_x.py", text) == [2, 3]
    assert lines("bench/x.py", text) == [1, 1, 2, 3]


def test_a_directive_is_not_prose_but_its_reason_is() -> None:
    """The reason of a suppressed finding is a comment like any other."""
    assert lines("domain/x.py", "x = 1  # noqa: S105 - told\n# type: told\n") == [1]


@pytest.mark.parametrize(
    "snippet",
    ['x = "# no comment"  # one\n', "x = '''\n# none\n'''\n# one\n", "x = f'{y[\"#\"]}' # one\n"],
)
def test_a_number_sign_in_a_string_begins_no_comment(snippet: str) -> None:
    """Only the real comment is read."""
    assert [each.text.strip() for each in python_source.prose_of(snippet, messages=False)] == [
        "one"
    ]


def test_comments_are_those_of_the_tokenizer() -> None:
    """Every comment of the repository's own tools is read at its line."""
    for path in (ROOT / "tools").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        tokens = tokenize.generate_tokens(io.StringIO(text).readline)
        expected = [
            (each.start[0], each.string) for each in tokens if each.type == tokenize.COMMENT
        ]

        assert [(line, it) for line, _, it in python_source.comments(text)] == expected


def test_markdown_is_read_without_code_and_addresses() -> None:
    """Headings, list items, table cells and link texts are prose; fences and URLs are not."""
    text = """# Told

```text
told by nobody
```
- told `told` [anew](told.md)
  and told

| told | x |
|---|---|
| y | Who waits | told |

<!-- told --> https://told.example/told
"""

    assert lines("docs/x.md", text) == [1, 6, 6, 7, 9, 11, 11]


def test_templates_are_read_without_tags_and_expressions() -> None:
    """The text and readable attributes of a template are prose."""
    text = """{% set told = 1 %}
<p class="told" title="told">Is
<b>told</b> {{ told }} <code>told</code></p>
<style>told</style>
"""

    assert lines("adapters/web/x.html", text) == [2, 3]


@pytest.mark.parametrize("path", ["Makefile", "pyproject.toml", ".env.example"])
def test_settings_are_read_for_comments_and_messages(path: str) -> None:
    """Comments and quoted messages are prose; a value or a setting that is switched off is not."""
    text = '# told\n# TOLD=told\ntold = "told"\nx: # told\n\techo "It is told"\n'

    assert lines(path, text) == [1, 4, 5]


def test_a_quotation_is_allowed_in_its_file_alone() -> None:
    """The list of quotations is keyed by path and word."""
    words = read_words(
        "[archaic]\n'anew' = 'again'\n'lest' = 'so'\n[allowed]\n'a.md' = ['anew']\n"
    )

    def found(path: str) -> list[str]:
        return [each.found for each in check_text(Path(path), "Lest anew", words=words)]

    assert found("a.md") == ["Lest"]
    assert found("b.md") == ["Lest", "anew"]
