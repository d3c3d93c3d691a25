"""The prose of Markdown documents and of HTML templates."""

import re
from collections.abc import Iterator

from tools.language.prose import Kind, Passage, blank, passages

_FENCE = re.compile(r"^ *(```+|~~~+).*?^ *\1[^\n]*$", re.MULTILINE | re.DOTALL)
_MARKDOWN_NOISE = re.compile(r"<!--.*?-->|</?[A-Za-z][^>]*>|\]\([^)\s]*\)|https?://\S+", re.DOTALL)
_MARKDOWN_PART = re.compile(r"\s*(?:(?:[-*+]|\d+\.) +|#+ +|> ?)+")
_TABLE_RULE = re.compile(r"[\s|:-]+")

_HTML_NOISE = re.compile(r"<(style|script)\b.*?</\1>|\{%.*?%\}", re.DOTALL)
_HTML_VALUE = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_HTML_ATTRIBUTE = re.compile(r"\b(?:title|alt|placeholder|aria-label|content)=\"([^\"]*)\"")
_HTML_INLINE = re.compile(r"</?(?:a|b|em|strong|small|time|i|abbr)\b[^>]*>")
_HTML_CODE = re.compile(r"<code\b[^>]*>.*?</code>", re.DOTALL)
_HTML_TAG = re.compile(r"<[^>]*>")
_BREAK = "\f"


def markdown_prose(text: str) -> Iterator[Passage]:
    """Yield headings, paragraphs, list items and table cells, without fenced code and addresses."""
    clean = _MARKDOWN_NOISE.sub(blank, _FENCE.sub(blank, text)).replace("[", " ")
    for passage in passages(Kind.DOCUMENT, clean, 1, _MARKDOWN_PART):
        if not passage.text.lstrip().startswith("|"):
            yield passage
            continue
        for number, row in enumerate(passage.text.split("\n"), passage.line):
            cells = () if _TABLE_RULE.fullmatch(row) else row.split("|")
            yield from (Passage(Kind.DOCUMENT, number, cell) for cell in cells if cell.strip())


def html_prose(text: str) -> Iterator[Passage]:
    """Yield the text that a template shows, with the attributes that a person reads."""
    clean = _HTML_VALUE.sub("Code", _HTML_NOISE.sub(blank, text))
    clean = _HTML_INLINE.sub("", _HTML_CODE.sub("Code", clean))
    clean = _HTML_TAG.sub(_attributes, clean)
    for number, line in enumerate(clean.split("\n"), 1):
        for part in line.split(_BREAK):
            if part.strip():
                yield Passage(Kind.DOCUMENT, number, part.strip())


def _attributes(tag: re.Match[str]) -> str:
    """Return the readable attributes of a tag between breaks; the tag's line breaks stay."""
    return _BREAK.join(["", *_HTML_ATTRIBUTE.findall(tag[0]), "\n" * tag[0].count("\n")])
