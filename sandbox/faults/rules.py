"""Fault rules: the requests, their share, and the fault."""

from fnmatch import fnmatchcase
from random import Random
from typing import Literal

import msgspec

from sandbox import ids

Kind = Literal["status", "latency", "hang", "drop_answer", "malformed", "rate_limited"]


class FaultRule(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One rule. `path` is a glob on the path without query; `share` is of matching requests.

    `status`: answer `status` immediately, or with `processed` after the request took effect.
    `latency`: wait `seconds`, then go on; with `processed` the request takes effect before
    the wait. `hang`: never answer (`seconds` at most).
    `drop_answer`: process the request, then close the connection without an answer.
    `malformed`: process the request, then answer 200 with a body that is not JSON.
    `rate_limited`: 429 immediately, with `retry_after` when given.
    """

    path: str = "*"
    method: str | None = None
    share: float = 1.0
    count: int | None = None
    kind: Kind
    status: int = 500
    processed: bool = False
    seconds: float = 3600.0
    retry_after: int | None = None
    id: str = msgspec.field(default_factory=ids.fresh_id)
    hits: int = 0

    def matches(self, method: str, path: str) -> bool:
        """Whether the rule is still live and speaks of this request."""
        if self.count is not None and self.hits >= self.count:
            return False
        return self.method in (None, method) and fnmatchcase(path, self.path)


class Faults:
    """The rules in force, in the order they were added; the first that strikes wins."""

    def __init__(self, seed: int) -> None:
        self.rules: list[FaultRule] = []
        self._random = Random(f"faults-{seed}")

    def draw(self) -> float:
        """A seeded number in [0, 1)."""
        return self._random.random()

    def strike(self, method: str, path: str) -> FaultRule | None:
        """The rule that strikes this request, counted; None when it is spared."""
        for rule in self.rules:
            if rule.matches(method, path) and self.draw() < rule.share:
                rule.hits += 1
                return rule
        return None
