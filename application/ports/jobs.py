"""Durable jobs, run by the workflow engine."""

from typing import Protocol

import msgspec

from domain.ids import IntegrationId


class StartedJob(msgspec.Struct, frozen=True):
    """A job that runs now.

    Args:
        workflow_id: its name in the Temporal UI.
        run_id: this run of it.
        already_running: whether it ran before this call asked for it.

    """

    workflow_id: str
    run_id: str
    already_running: bool


class Jobs(Protocol):
    """Starts jobs. Each method raises JobsUnavailable when the engine cannot be reached."""

    async def refresh_tokens(self) -> StartedJob:
        """Run the token refresh now, or attach to the run under way."""
        ...

    async def sync_availability(self) -> StartedJob:
        """Run the availability sync now, or attach to the run under way."""
        ...

    async def apply_webhooks(self) -> StartedJob:
        """Apply stored webhooks now, or attach to the run under way."""
        ...

    async def onboard(self, integration_id: IntegrationId) -> StartedJob:
        """Subscribe to webhooks, sync and back-fill a newly connected integration."""
        ...

    async def disconnect(self, integration_id: IntegrationId) -> StartedJob:
        """Unsubscribe, revoke and erase an integration, even while Calendly is down."""
        ...
