"""The end of an integration: unsubscribed, revoked at Calendly, erased here."""

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from adapters.temporal import contract
    from adapters.temporal.contract import IntegrationInput
    from application.integrations.finish_disconnect import ERASED_UNREVOKED
    from workflows import options
    from workflows.activities.integrations import IntegrationActivities
    from workflows.messages import Erased, Erasure

UNREVOKED = (
    "Erased here. Calendly did not confirm all of it: the user can remove the app's access in "
    "Calendly's account settings."
)


@workflow.defn(name=contract.DISCONNECT)
class DisconnectIntegration:
    """Erases an integration within a day, whatever Calendly does."""

    @workflow.run
    async def run(self, of: IntegrationInput) -> Erased:
        """Try for a day to unsubscribe and revoke, then erase without Calendly."""
        erased = await self._erase(of)
        if erased.result == ERASED_UNREVOKED:
            workflow.set_current_details(UNREVOKED)
        return erased

    async def _erase(self, of: IntegrationInput) -> Erased:
        try:
            return await workflow.execute_activity_method(
                IntegrationActivities.finish_disconnect,
                Erasure(integration_id=of.integration_id),
                **options.ERASE,
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
        workflow.set_current_details("Calendly could not be reached; erasing only here.")
        return await workflow.execute_activity_method(
            IntegrationActivities.finish_disconnect,
            Erasure(integration_id=of.integration_id, forced=True),
            **options.ERASE_FORCED,
        )
