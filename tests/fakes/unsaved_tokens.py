"""Unsaved tokens that are remembered, as heartbeat details outlive an attempt."""

from collections.abc import Sequence

from application.ports.unsaved_tokens import UnsavedTokenPair


class FakeUnsavedTokens:
    """Implements the UnsavedTokens port; `sent` is what would have left the process.

    Attributes:
        sent: what was kept at the last alarm, which is what another process finds.
        alarms: how often storing was reported to fail.

    """

    def __init__(self, earlier: Sequence[UnsavedTokenPair] = ()) -> None:
        self._kept = list(earlier)
        self.sent: tuple[UnsavedTokenPair, ...] = tuple(earlier)
        self.alarms = 0

    def keep(self, pair: UnsavedTokenPair) -> None:
        self._kept.append(pair)

    def alarm(self) -> None:
        self.alarms += 1
        self.sent = tuple(self._kept)

    def drop(self, pair: UnsavedTokenPair) -> None:
        self._kept.remove(pair)

    def kept(self) -> Sequence[UnsavedTokenPair]:
        return tuple(self._kept)
