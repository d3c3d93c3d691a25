"""The secrets and requests of the sandbox, for tests to read.

The ledger of secrets is the reference for leak tests. Every credential and every invitee's
address must be entered here when it is created. The ledger survives a reset.
"""

import re
from collections import Counter

_ID = re.compile(r"^(?:[0-9a-f]{8}-[0-9a-f-]{27}|[A-Z]{16}|[A-Za-z0-9_-]{20,})$")


class IssuedSecrets:
    """Every secret and every personal address that left the sandbox."""

    def __init__(self) -> None:
        self.access_tokens: list[str] = []
        self.refresh_tokens: list[str] = []
        self.codes: list[str] = []
        self.client_secrets: dict[str, None] = {}
        self.signing_keys: dict[str, None] = {}
        self.invitee_emails: dict[str, None] = {}

    def as_json(self) -> dict[str, list[str]]:
        """All of them, by kind."""
        return {
            "access_tokens": self.access_tokens,
            "refresh_tokens": self.refresh_tokens,
            "codes": self.codes,
            "client_secrets": list(self.client_secrets),
            "signing_keys": list(self.signing_keys),
            "invitee_emails": list(self.invitee_emails),
        }


class Counters:
    """Counts of what came in and went out since the start or the last reset."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.statuses: Counter[str] = Counter()
        self.token_requests: Counter[str] = Counter()
        self.refresh_reuse = 0
        self.deliveries: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()

    def as_json(self) -> dict[str, object]:
        """All counts; requests by method and path with ids replaced by `{id}`."""
        return {
            "requests": dict(self.requests),
            "statuses": dict(self.statuses),
            "token_requests": dict(self.token_requests),
            "refresh_reuse": self.refresh_reuse,
            "deliveries": dict(self.deliveries),
            "faults": dict(self.faults),
        }


def route_of(method: str, path: str) -> str:
    """`GET /users/{id}`: a path as a bounded label."""
    parts = ["{id}" if _ID.match(part) else part for part in path.split("/")]
    return f"{method} {'/'.join(parts)}"
