"""The prose of a Python module: docstrings, comments and messages."""

import ast
import inspect
import re
from collections.abc import Iterator

from tools.language.hash_comments import comment_passages
from tools.language.prose import CODE, Kind, Passage, passages, without_code

# A string of fewer words is a name or a value; these keywords and methods always take prose.
MESSAGE_WORDS = 3
PROSE_KEYWORDS = {"help", "title", "detail", "description", "summary", "short_help", "epilog"}
LOG_METHODS = {"debug", "info", "warning", "error", "exception", "critical"}

_SQL = re.compile(
    r"\b(?:SELECT|INSERT|UPDATE|DELETE|FROM|WHERE|JOIN|RETURNING|ORDER BY|CONFLICT|CREATE|ALTER"
    r"|DROP|VALUES|AND|OR|SET|LIMIT|CASE|BEGIN|COMMIT|ROLLBACK|AS)\b"
)
# A list mark, an entry of an Args or Raises section or a table's row: their names are code.
_DOCSTRING_PART = re.compile(
    r"\s*(?:[-*] |\d+\. |(?:Args|Attributes|Raises|Returns|Yields):)|\s+\*{0,2}\w[\w.]*: |\s+\S+ {2,}"
)
_SECTION = re.compile(r"[A-Z]\w+:")
# In Python 3.11 a number sign is a comment unless it is inside one of these literals.
_LITERAL_OR_COMMENT = re.compile(
    r"""\"{3}(?:[^\\]|\\(?s:.))*?\"{3}|'{3}(?:[^\\]|\\(?s:.))*?'{3}"""
    r"""|"(?:[^"\\\n]|\\(?s:.))*"|'(?:[^'\\\n]|\\(?s:.))*'|(?P<comment>\#[^\n]*)"""
)
_WITHOUT_STRINGS = (ast.Name, ast.expr_context, ast.operator)


def prose_of(text: str, *, messages: bool) -> Iterator[Passage]:
    """Yield the passages of a module.

    Args:
        text: the module's source.
        messages: every string of at least `MESSAGE_WORDS` words is a message. Otherwise only
            the strings of `raise` and `assert` are, because the others are test data.

    Raises:
        SyntaxError: the text is not Python.

    """
    yield from comment_passages(comments(text))
    seen = set[int]()
    for node in _walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            seen.add(id(node.value))
            yield from _docstring(node.value)
        elif messages:
            yield from _messages(node, seen)
        elif isinstance(node, ast.Raise | ast.Assert):
            said = node.exc if isinstance(node, ast.Raise) else node.msg
            for each in _walk(said) if said else ():
                yield from _messages(each, seen)


def _walk(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield a tree's nodes, parents first; without names, and faster than `ast.walk`."""
    pending = [tree]
    while pending:
        node = pending.pop()
        yield node
        for value in vars(node).values():
            if isinstance(value, list):
                pending += [each for each in value if isinstance(each, ast.AST)]
            elif isinstance(value, ast.AST) and not isinstance(value, _WITHOUT_STRINGS):
                pending.append(value)


def _docstring(literal: ast.Constant) -> Iterator[Passage]:
    if not isinstance(literal.value, str):  # an ellipsis
        return
    line = literal.lineno + len(literal.value) - len(literal.value.lstrip("\n"))
    prose = _without_tables(inspect.cleandoc(literal.value))
    yield from passages(Kind.DOCSTRING, prose, line, _DOCSTRING_PART)


def _without_tables(text: str) -> str:
    """Return a docstring with an empty line for each line of a table or tree.

    Such a block is indented and follows an empty line. An indented line below a section's name
    (`Args:`, `Raises:`) is prose.
    """
    kept = list[str]()
    above, empty, in_table = "", True, False
    for line in text.split("\n"):
        if not line.startswith("    "):
            in_table = False
            above = line.strip() or above
        elif empty and not _SECTION.fullmatch(above):
            in_table = True
        kept.append("" if in_table else line)
        empty = not line.strip()
    return "\n".join(kept)


def comments(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield line, column and text of each comment; the column of one after code is -1."""
    line, counted = 1, 0
    for literal in _LITERAL_OR_COMMENT.finditer(text):
        if literal["comment"] is not None:
            line += text.count("\n", counted, literal.start())
            counted = literal.start()
            indent = text[text.rfind("\n", 0, counted) + 1 : counted]
            yield line, -1 if indent.strip() else len(indent), literal["comment"]


def _messages(node: ast.AST, seen: set[int]) -> Iterator[Passage]:
    """Yield the messages of one node; `seen` has the literals that their parents account for."""
    if isinstance(node, ast.Call | ast.keyword):
        literal = _always_prose(node)
        if literal is not None and id(literal) not in seen:
            seen.add(id(literal))
            words = str(literal.value).replace("_", " ")
            yield Passage(Kind.MESSAGE, literal.lineno, without_code(words))
    elif isinstance(node, ast.JoinedStr):
        seen.update(map(id, node.values))
        yield from _message(_joined(node), node.lineno)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in seen:
        yield from _message(node.value, node.lineno)


def _always_prose(node: ast.Call | ast.keyword) -> ast.Constant | None:
    """Return the literal that is prose even when it is short: a log event, a title, a help text."""
    if isinstance(node, ast.keyword):
        named = node.arg in PROSE_KEYWORDS
        literal: ast.AST | None = node.value
    else:
        named = isinstance(node.func, ast.Attribute) and node.func.attr in LOG_METHODS
        literal = node.args[0] if node.args else None
    is_text = isinstance(literal, ast.Constant) and isinstance(literal.value, str)
    return literal if named and is_text and isinstance(literal, ast.Constant) else None


def _joined(node: ast.JoinedStr) -> str:
    """Return an f-string's text with each expression replaced by `CODE`."""
    return "".join(
        str(each.value) if isinstance(each, ast.Constant) else CODE for each in node.values
    )


def _message(text: str, line: int) -> Iterator[Passage]:
    if len(text.split()) >= MESSAGE_WORDS and not _SQL.search(text):
        yield Passage(Kind.MESSAGE, line, without_code(text))
