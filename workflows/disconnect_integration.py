"""The end of an integration: unsubscribed, revoked at Calendly, erased here."""

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from adapters.temporal import contract
    from adapters.temporal.contract import IntegrationInput
    from workflows import options
    from workflows.activities.disconnecting import Disconnecting
    from workflows.messages import Erased, Erasure


@workflow.defn(name=contract.DISCONNECT)
class DisconnectIntegration:
    """Erases an integration within a day, whatever Calendly does."""

    @workflow.run
    async def run(self, of: IntegrationInput) -> Erased:
        """Try for a day to tell Calendly, then erase without; returns how it ended."""
        try:
            return await workflow.execute_activity_method(
                Disconnecting.finish_disconnect,
                Erasure(integration_id=of.integration_id),
                **options.ERASE,
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
        workflow.set_current_details("Calendly could not be told; erasing on our side alone.")
        return await workflow.execute_activity_method(
            Disconnecting.finish_disconnect,
            Erasure(integration_id=of.integration_id, forced=True),
            **options.ERASE_FORCED,
        )
