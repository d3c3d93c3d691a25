"""The prose of comments that begin with a number sign, and of files that have no other prose."""

import re
from collections.abc import Iterable, Iterator

from tools.language.prose import Kind, Passage, passages

_DIRECTIVE = re.compile(r"#!|#\s*(?:noqa|type:|pragma|fmt:|ruff:|[A-Z][A-Z0-9_]+=)")
_LINT_REASON = re.compile(r"#\s*noqa(?::\s*[A-Z0-9, ]+)?(?:\s+-)?\s*")
_MARK = re.compile(r"#+ ?[-=]*")
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*")
_LIST_MARK = re.compile(r"\s*(?:[-*] |\d+\. )")
_QUOTED = re.compile(r"\"([^\"\n]+)\"|'([^'\n]+)'")
MESSAGE_WORDS = 3


def prose_of(text: str) -> Iterator[Passage]:
    """Yield the comments and messages of a Makefile, a TOML file, a shell script or a `.env`."""
    comments = list[tuple[int, int, str]]()
    for number, line in enumerate(text.split("\n"), 1):
        comment = _COMMENT.search(line)
        code = line[: comment.start()] if comment else line
        if comment:
            comments.append((number, -1 if code.strip() else len(code), comment[0]))
        for double, single in _QUOTED.findall(code):
            if len((double or single).split()) >= MESSAGE_WORDS:
                yield Passage(Kind.MESSAGE, number, double or single)
    yield from comment_passages(comments)


def comment_passages(comments: Iterable[tuple[int, int, str]]) -> Iterator[Passage]:
    """Yield one passage for each group of comments that form whole sentences together.

    Args:
        comments: line, column and text of each comment in the file's order. A column of -1
            means that code precedes the comment, which is then a passage by itself.

    """
    group, line, column = list[str](), 0, -1
    for number, at, comment in comments:
        if group and (at == -1 or at != column or number != line + len(group)):
            yield from _group(group, line)
            group = []
        if not group:
            line, column = number, at
        group.append(_content(comment))
    yield from _group(group, line)


def _content(comment: str) -> str:
    """Return a comment's words: none for a directive, the reason for a suppressed finding."""
    reason = _LINT_REASON.match(comment)
    if reason:
        return comment[reason.end() :]
    return "" if _DIRECTIVE.match(comment) else _MARK.sub("", comment, count=1)


def _group(group: list[str], line: int) -> Iterator[Passage]:
    return passages(Kind.COMMENT, "\n".join(group), line, _LIST_MARK)
