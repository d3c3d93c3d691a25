"""Jobs in Temporal: refresh and sync; and a refresh in the middle of a request."""

import base64
import json
from typing import Any

import httpx

from adapters.local_stack.demo.integration import INTEGRATION
from adapters.local_stack.demo.stage import HOST, Stage, eventually, expect, good

_NAMESPACES = "/api/v1/namespaces"


def schedules(stage: Stage) -> str:
    listed = _temporal(stage, "/schedules")["schedules"]
    names = sorted(each["scheduleId"] for each in listed)
    for wanted in ("refresh-calendly-tokens", "sync-calendly-availability"):
        expect(wanted in names, f"{wanted} is not among {names}")
    return ", ".join(names)


def refresh(stage: Stage) -> str:
    before = stage.get(INTEGRATION)["last_refreshed_at"]
    started = _cron(stage, "refresh-calendly-tokens")
    result = _result(stage, started["workflow_id"], started["run_id"])
    after = stage.get(INTEGRATION)["last_refreshed_at"]
    expect(after and after != before, "the token was not refreshed")
    expect(result.get("done", {}).get("refreshed") == 1, f"the workflow's result is {result}")
    return f"workflow {started['workflow_id']} ended with {result}"


def sync(stage: Stage) -> str:
    started = _cron(stage, "sync-calendly-availability")
    result = _result(stage, started["workflow_id"], started["run_id"])
    seen = {"synced", "up_to_date"} & result.get("done", {}).keys()
    expect(seen, f"the workflow's result is {result}")
    return f"workflow {started['workflow_id']} ended with {result}"


def expired_token(stage: Stage) -> str:
    exchanged = _exchanges(stage)
    stage.control("POST", f"/users/{HOST}/expire-access-tokens")
    booking = stage.known["booking"]
    key = {"Idempotency-Key": "demo-expired-token"}
    good(stage.api.post(f"/api/calendly/bookings/{booking}/no-show", headers=key))
    spent = _exchanges(stage) - exchanged
    expect(spent == 1, f"{spent} token requests were made")
    return "Calendly said 401, one refresh and one repetition later the call went through"


def _exchanges(stage: Stage) -> int:
    counters = stage.control("GET", "")["counters"]
    return int(counters["token_requests"].get("refresh_token:ok", 0))


def _cron(stage: Stage, job: str) -> dict[str, Any]:
    secret = {"Authorization": f"Bearer {stage.addresses.cron_secret}"}
    url = f"{stage.addresses.web_url}/api/cron/{job}"
    answer: dict[str, Any] = good(httpx.post(url, headers=secret, trust_env=False)).json()
    return answer


def _temporal(stage: Stage, path: str) -> Any:
    addresses = stage.addresses
    url = f"{addresses.temporal_ui_url}{_NAMESPACES}/{addresses.temporal_namespace}{path}"
    return good(httpx.get(url, trust_env=False, timeout=20)).json()


def _result(stage: Stage, workflow_id: str, run_id: str) -> dict[str, Any]:
    """Return the result of a run, read from Temporal's UI as an operator would."""
    path = f"/workflows/{workflow_id}/history?execution.runId={run_id}"

    def ended() -> Any:
        events = _temporal(stage, path)["history"]["events"]
        return events[-1].get("workflowExecutionCompletedEventAttributes")

    attributes = eventually(ended, f"{workflow_id} to end")
    (payload,) = attributes["result"]["payloads"]
    decoded: dict[str, Any] = json.loads(base64.b64decode(payload["data"]))
    return decoded
