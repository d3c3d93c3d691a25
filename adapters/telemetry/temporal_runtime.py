"""Temporal's SDK core writes its own log lines; this sends them through our chain.

The core is native code with a logger of its own that would write to standard error, past the
redaction.
"""

import logging

from temporalio import activity, workflow
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)


def create_temporal_runtime() -> Runtime:
    """Return a runtime that logs through us, for `Client.connect(runtime=…)`; one a process."""
    return Runtime(
        telemetry=TelemetryConfig(
            logging=LoggingConfig(
                filter=TelemetryFilter(core_level="WARN", other_level="ERROR"),
                forwarding=LogForwardingConfig(
                    logger=logging.getLogger("temporalio.core"), append_target_to_name=False
                ),
            )
        )
    )


def keep_log_messages_plain() -> None:
    """Keep a workflow's and activity's identity out of the message: it becomes fields."""
    workflow.logger.workflow_info_on_message = False
    activity.logger.activity_info_on_message = False
