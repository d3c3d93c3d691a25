"""The sealed values that the fake store keeps sealed: tokens and verifiers.

Webhook bodies and the links of bookings lie open in memory; the real store seals those.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from application.integrations.begin_connect import code_bound_to, verifier_bound_to
from application.ports.storage.encrypted_values import KeyCounts, SealedPage, SealedValue
from tests.fakes.state import State

_TOKENS = {
    "calendly_integration.access_token_sealed": "access",
    "calendly_integration.refresh_token_sealed": "refresh",
}
_ATTEMPTS = {
    "calendly_connect_attempt.verifier_sealed": ("sealed_verifier", verifier_bound_to),
    "calendly_connect_attempt.code_sealed": ("sealed_code", code_bound_to),
}


class FakeSealedValues:
    def __init__(self, state: State) -> None:
        self._state = state

    @property
    def columns(self) -> Sequence[str]:
        return (*_TOKENS, *_ATTEMPTS)

    async def page(
        self, column: str, after: int, limit: int, *, but_under: str | None
    ) -> SealedPage:
        found = [each for each in self._values(column) if each.row > after]
        wanted = [each for each in found if but_under is None or _key_id(each) != but_under]
        page = tuple(wanted[:limit])
        last = page[-1].row if len(page) == limit else max((each.row for each in found), default=0)
        return SealedPage(values=page, after=last or None)

    async def count(self, column: str, after: int) -> KeyCounts:
        found = [each for each in self._values(column) if each.row > after]
        last = found[-1].row if found else None
        return KeyCounts(by_key=Counter(_key_id(each) for each in found), after=last)

    async def replace(
        self, column: str, resealed: Sequence[tuple[SealedValue, str]], now: datetime
    ) -> int:
        current = {each.row: each for each in self._values(column)}
        wanted = [
            (value, after)
            for value, after in resealed
            if current.get(value.row) == value and self._set(column, value, after, now)
        ]
        return len(wanted)

    def _values(self, column: str) -> list[SealedValue]:
        if column in _ATTEMPTS:
            name, bound_to = _ATTEMPTS[column]
            return [
                SealedValue(
                    row=row, owner=each.user_id, bound_to=bound_to(each.state_hash), sealed=sealed
                )
                for row, each in enumerate(self._state.connect_attempts.values(), 1)
                if (sealed := getattr(each, name)) is not None
            ]
        part = _TOKENS[column]
        return [
            SealedValue(
                row=row,
                owner=integration_id,
                bound_to=f"calendly_integration:{integration_id}:{part}",
                sealed=getattr(tokens, part),
            )
            for row, integration_id in enumerate(sorted(self._state.integrations), 1)
            if (tokens := self._state.integrations[integration_id].value.tokens) is not None
        ]

    def _set(self, column: str, value: SealedValue, after: str, now: datetime) -> bool:
        if column in _ATTEMPTS:
            name, _ = _ATTEMPTS[column]
            for state_hash, each in self._state.connect_attempts.items():
                if getattr(each, name) == value.sealed:
                    changed = replace(each, **{name: after})
                    self._state.connect_attempts[state_hash] = changed
            return True
        integration_id = sorted(self._state.integrations)[value.row - 1]
        row = self._state.integrations[integration_id]
        if row.lease is not None and row.lease.expires_at > now:
            return False
        assert row.value.tokens is not None
        tokens = replace(row.value.tokens, **{_TOKENS[column]: after})
        self._state.integrations[integration_id] = replace(
            row, value=replace(row.value, tokens=tokens), lease=None
        )
        return True


def _key_id(value: SealedValue) -> str:
    parts = value.sealed.split(".")
    return parts[1] if len(parts) > 1 else ""
