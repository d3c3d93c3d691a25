"""Passages of prose and the sentences in them."""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

_SENTENCE_END = re.compile(r"[.!?]+[\"')\]”*_]*\s+(?=[\"'(\[“*_]*[A-Z0-9])")
_WORD = re.compile(r"\w[\w'./:-]*")
_CODE = re.compile(r"(`+)(?s:.+?)\1")
CODE = "Code"


class Kind(StrEnum):
    """The place in which prose is found."""

    DOCSTRING = "docstring"
    COMMENT = "comment"
    MESSAGE = "message"
    DOCUMENT = "document"


class Passage(NamedTuple):
    """A paragraph, a list item, a comment or a message: text that forms whole sentences.

    Attributes:
        kind: the place in which it was found.
        line: the number of its first line in the file, from 1.
        text: the words, with the file's line breaks and with code replaced by `CODE`.

    """

    kind: Kind
    line: int
    text: str

    def line_at(self, offset: int) -> int:
        """Return the line number of a character offset in the text."""
        return self.line + self.text.count("\n", 0, offset)


class Sentence(NamedTuple):
    """One sentence of a passage: its offset in the passage (characters) and its text."""

    offset: int
    text: str

    @property
    def words(self) -> int:
        """The number of words; a span of code counts as one."""
        return len(_WORD.findall(self.text))


def sentences(text: str) -> Iterator[Sentence]:
    """Yield the sentences of a passage's text; an abbreviation before a capital ends one."""
    begin = 0
    for end in _SENTENCE_END.finditer(text):
        yield Sentence(begin, text[begin : end.end()])
        begin = end.end()
    if text[begin:].strip():
        yield Sentence(begin, text[begin:])


def without_code(text: str) -> str:
    """Return the text with each span in backticks replaced by `CODE`; line breaks stay."""
    return _CODE.sub(lambda span: CODE + "\n" * span[0].count("\n"), text)


def blank(span: re.Match[str]) -> str:
    """Return only the line breaks of a match, so that line numbers stay right without its text."""
    return " " + "\n" * span[0].count("\n")


def passages(kind: Kind, text: str, line: int, start: re.Pattern[str]) -> Iterator[Passage]:
    """Yield the passages of a text of many lines.

    Args:
        kind: the place of the text.
        text: the text; an empty line ends a passage.
        line: the number of its first line in the file.
        start: matches a line that begins a passage without an empty line before it. The
            match itself (a list mark, an argument's name) is removed.

    """
    first, gathered = line, list[str]()
    for number, content in enumerate(without_code(text).split("\n"), line):
        mark = start.match(content)
        if gathered and (mark or not content.strip()):
            yield Passage(kind, first, "\n".join(gathered))
            gathered = []
        if content.strip():
            first = first if gathered else number
            gathered.append(content[mark.end() :] if mark else content)
    if gathered:
        yield Passage(kind, first, "\n".join(gathered))
