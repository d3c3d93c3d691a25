"""Which integrations a page of work found held by somebody else.

The rule not to break: a lock is waited for once a page. Who holds an integration holds all that
is to be done for it, and everybody else's work waits behind each of those waits.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from domain.errors import StorageContended
from domain.ids import IntegrationId
from domain.integration import Integration


class LockedIntegrations:
    """What one page met; the next page looks again."""

    def __init__(self) -> None:
        self._met: set[frozenset[IntegrationId]] = set()

    @contextmanager
    def noted(self, integrations: Sequence[Integration]) -> Iterator[None]:
        """Note whom the work inside is for, if it meets a lock.

        Raises:
            StorageContended: one of them was held before, so the work is not begun; or is now.

        """
        ids = frozenset(each.id for each in integrations)
        # Of several it is not known which one is held: one of them is, wherever all of them are.
        if any(met <= ids for met in self._met):
            raise StorageContended("Somebody holds the integration, as the same page found out.")
        try:
            yield
        except StorageContended:
            self._met.add(ids)
            raise
