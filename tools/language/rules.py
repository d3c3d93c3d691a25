"""The rules of plain technical English, and where a passage breaks one."""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tools.language.prose import Kind, Passage, sentences

WORDS = Path(__file__).with_name("words.toml")
GOAL = 25  # words a sentence

_OPENING = re.compile(r"[\s\"'(*_“]*(What|Who|Whatever|Whichever)\s+(?=\S)")
_CLOSING = " \n\"')*_”"
_LENGTH_KINDS = {Kind.DOCSTRING, Kind.DOCUMENT}


class Finding(NamedTuple):
    """A place that breaks a rule: its line, the words, the replacement and the rule's name."""

    line: int
    found: str
    use: str
    rule: str

    def at(self, path: Path) -> str:
        """Return the finding as one line of output."""
        return f'{path.as_posix()}:{self.line}: "{self.found}": use "{self.use}" instead ({self.rule})'


class Row(NamedTuple):
    """One row of the word list: the pattern of its words, the replacement and the rule's name."""

    pattern: re.Pattern[str]
    use: str
    rule: str


class WordList(NamedTuple):
    """The replaced words.

    Attributes:
        pattern: finds the words of all rows in text in lower case. It has no groups, which makes
            it several times faster than one that also says which row it found.
        rows: the rows; the first one that matches decides.
        allowed: the words, in lower case, that a file may use because it quotes them.

    """

    pattern: re.Pattern[str]
    rows: tuple[Row, ...]
    allowed: dict[str, frozenset[str]]


def read_words(text: str) -> WordList:
    """Return the word list of a TOML text such as `words.toml`.

    Raises:
        tomllib.TOMLDecodeError: the text is not TOML.
        re.error: a row's key is not a regular expression.

    """
    tables = tomllib.loads(text)
    allowed = tables.pop("allowed", {})
    rows = tuple(
        Row(_whole_words([word]), use, rule)
        for rule, words in tables.items()
        for word, use in words.items()
    )
    return WordList(
        _whole_words([word for words in tables.values() for word in words]),
        rows,
        {path: frozenset(map(str.lower, words)) for path, words in allowed.items()},
    )


@cache
def house_words() -> WordList:
    """Return the word list of this repository."""
    return read_words(WORDS.read_text(encoding="utf-8"))


def findings(passage: Passage, words: WordList, longest: int | None) -> Iterator[Finding]:
    """Yield where a passage breaks a rule.

    Args:
        passage: the prose.
        words: the word list.
        longest: the number of words that a sentence of a docstring or document may have;
            None: any number.

    """
    yield from _words(passage, words)
    for sentence in sentences(passage.text):
        line = passage.line_at(sentence.offset)
        opening = _OPENING.match(sentence.text)
        if opening and not sentence.text.rstrip(_CLOSING).endswith("?"):
            yield Finding(line, opening[1], "a named subject, or a question", "opening")
        if longest and passage.kind in _LENGTH_KINDS and sentence.words > longest:
            use = f"sentences of at most {GOAL} words"
            yield Finding(line, f"{sentence.words} words", use, "length")


def _words(passage: Passage, words: WordList) -> Iterator[Finding]:
    lower = passage.text.lower()
    for match in words.pattern.finditer(lower):
        row = next(row for row in words.rows if row.pattern.match(lower, match.start()))
        found = " ".join(passage.text[match.start() : match.end()].split())
        yield Finding(passage.line_at(match.start()), found, row.use, row.rule)


def _whole_words(words: list[str]) -> re.Pattern[str]:
    any_of = "|".join(f"(?:{word})" for word in words).replace(" ", r"\s+")
    return re.compile(rf"(?<![\w-])(?:{any_of})(?![\w-])")
