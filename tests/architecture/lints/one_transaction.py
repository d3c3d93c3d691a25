"""Inside a unit of work only the database is awaited.

A call to Calendly or Temporal between begin and commit holds a connection and its row locks
while the network answers. A slow Calendly would then stop the whole service. The rule covers
`async with self._storage() as uow`, and every function with a `uow` parameter. There, code may
await only `uow` itself, a part of it, or a function that takes it.
"""

import ast
from collections.abc import Iterator, Sequence

from tests.architecture.source import dotted

Function = ast.FunctionDef | ast.AsyncFunctionDef


def offences(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield what waits for anything else within a unit of work."""
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncWith):
            for item in node.items:
                if dotted(item.context_expr).endswith("storage()") and item.optional_vars:
                    yield from _foreign(node.body, dotted(item.optional_vars))
        elif isinstance(node, Function) and "uow" in {each.arg for each in node.args.args}:
            yield from _foreign(node.body, "uow")


def _foreign(body: Sequence[ast.stmt], uow: str) -> Iterator[ast.AST]:
    inside = [node for statement in body for node in ast.walk(statement)]
    own = {uow} | {
        dotted(name)
        for node in inside
        if isinstance(node, ast.Assign)
        for name, value in _assigned(node)
        if dotted(value).startswith(f"{uow}.")
    }
    for waited in filter(None, map(_waited_for, inside)):
        root = dotted(waited).split(".")[0]
        handed = isinstance(waited, ast.Call) and own & set(map(dotted, _arguments(waited)))
        if root not in own and not handed:
            yield waited


def _assigned(node: ast.Assign) -> Iterator[tuple[ast.expr, ast.expr]]:
    for target in node.targets:
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            yield from zip(target.elts, node.value.elts, strict=False)
        else:
            yield target, node.value


def _waited_for(node: ast.AST) -> ast.expr | None:
    if isinstance(node, ast.Await | ast.AsyncFor):
        return node.value if isinstance(node, ast.Await) else node.iter
    return node.items[0].context_expr if isinstance(node, ast.AsyncWith) else None


def _arguments(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(each.value for each in call.keywords)]
