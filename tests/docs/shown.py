"""Whether an answer has what a page shows of it."""

from typing import Any

# A reader's program depends on these values, so they equal the page; ids, times and counts vary.
CODES = frozenset({"status", "freshness", "code", "kind", "title", "webhook_state", "type"})


def missing(shown: Any, seen: Any, at: str = "") -> list[str]:
    """Return what the page shows and the answer has not, by its place; empty when all is there.

    A page may leave out members and items, never invent them. A shown null is a null.
    """
    match shown:
        case dict():
            return _missing_members(shown, seen, at)
        case list():
            return _missing_items(shown, seen, at)
        case None:
            return [] if seen is None else [f"{at}: {seen!r} instead of null"]
        case str() if at.rsplit(".", 1)[-1] in CODES:
            return [] if seen == shown else [f"{at}: {seen!r} instead of {shown!r}"]
    return [] if isinstance(seen, type(shown)) else [f"{at}: {seen!r} instead of {shown!r}"]


def _missing_members(shown: dict[str, Any], seen: Any, at: str) -> list[str]:
    if not isinstance(seen, dict):
        return [f"{at}: {seen!r} is no object"]
    found = [f"{at}.{name}: is not there" for name in shown if name not in seen]
    for name in shown.keys() & seen.keys():
        found += missing(shown[name], seen[name], f"{at}.{name}")
    return found


def _missing_items(shown: list[Any], seen: Any, at: str) -> list[str]:
    if not isinstance(seen, list):
        return [f"{at}: {seen!r} is no list"]
    return [
        f"{at}: no item is like {item!r}"
        for item in shown
        if all(missing(item, each, at) for each in seen)
    ]
