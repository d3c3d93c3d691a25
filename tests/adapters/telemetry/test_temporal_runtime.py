import logging

from temporalio import activity, workflow

from adapters.telemetry.temporal_runtime import create_temporal_runtime, keep_log_messages_plain


def test_a_runtime_logs_through_us() -> None:
    """A runtime can be made for a client without touching the process's default."""
    assert create_temporal_runtime() is not create_temporal_runtime()
    assert logging.getLogger("temporalio.core").propagate


def test_messages_of_workflows_and_activities_stay_plain() -> None:
    """The identity of a workflow or activity is in fields, not in the message."""
    keep_log_messages_plain()

    assert not workflow.logger.workflow_info_on_message
    assert not activity.logger.activity_info_on_message
    assert workflow.logger.workflow_info_on_extra
    assert activity.logger.activity_info_on_extra
