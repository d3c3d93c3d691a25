import base64
import json
from collections.abc import Iterator
from datetime import datetime
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
import pytest

from adapters.temporal import contract
from application.jobs.job_result import JobResult
from domain.secret import Secret
from tests.workflows.fakes import DueRows, FakeUseCases
from tests.workflows.running import Bench
from workflows.catalog import WORKFLOWS, activities_of

# An id, a count, a code, a time, a flag. A str is a code or a cursor by review: nothing else here
# could be anything but harmless.
HARMLESS = (int, str, bool, UUID, datetime, NoneType)


def harmful(annotation: Any, path: str) -> Iterator[str]:
    """Yield each part of a type that could carry more than ids, counts, codes and times."""
    annotation = getattr(annotation, "__supertype__", annotation)
    if annotation in HARMLESS or annotation == dict[str, int]:
        return
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        for name, part in get_type_hints(annotation).items():
            yield from harmful(part, f"{path}.{name}")
    elif get_origin(annotation) is not dict and NoneType in get_args(annotation):
        for part in get_args(annotation):
            yield from harmful(part, path)
    else:
        yield f"{path}: {annotation}"


def signatures() -> Iterator[tuple[str, Any]]:
    """Yield every type that goes into or comes out of a workflow or an activity."""
    for workflow in WORKFLOWS:
        for name, hint in get_type_hints(vars(workflow)["run"]).items():
            yield f"{workflow.__name__}.{name}", hint
    for activity in activities_of(FakeUseCases().services, page_size=1):
        for name, hint in get_type_hints(activity).items():
            yield f"{activity.__name__}.{name}", hint


def test_messages_hold_ids_counts_codes_and_times_only() -> None:
    """Nothing that reaches a workflow history has room for a secret or a person's data."""
    found = [complaint for path, hint in signatures() for complaint in harmful(hint, path)]

    assert found == []


@pytest.mark.parametrize("bad", [Secret, bytes, list[str], dict[str, str], Any, float | None])
def test_the_lint_refuses_what_could_hold_more(bad: Any) -> None:
    """A field of any other type is named with its path."""
    message = msgspec.defstruct("Message", [("fine", int), ("bad", bad)])

    assert any("Input.bad" in complaint for complaint in harmful(message, "Input"))


def test_every_message_is_one_struct() -> None:
    """Workflows and activities take and return one struct, which can grow without a break."""
    assert all(issubclass(hint, msgspec.Struct) for _, hint in signatures())


def payloads(value: Any) -> Iterator[bytes]:
    """Yield the data of every payload in a decoded history."""
    if isinstance(value, dict):
        if "metadata" in value and "data" in value:
            yield base64.b64decode(value["data"])
        for part in value.values():
            yield from payloads(part)
    elif isinstance(value, list):
        for part in value:
            yield from payloads(part)


@pytest.mark.asyncio(loop_scope="session")
async def test_operators_can_read_what_a_run_did(bench: Bench) -> None:
    """Each payload of a history is plain JSON, and the counts are in it by name and code."""
    bench.use_cases.refresh_due_tokens = DueRows(rows=["refreshed", "GRANT_REFUSED", "refreshed"])

    async with bench.working():
        handle = await bench.start(contract.REFRESH_TOKENS)
        await handle.result()
        history = json.loads((await handle.fetch_history()).to_json())

    decoded = [json.loads(data) for data in payloads(history)]
    assert {"examined": 3, "done": {"refreshed": 2}, "failed": {"grant_refused": 1}} in decoded
    assert "refresh a page of tokens" in decoded


def test_the_result_of_an_empty_run_has_no_zeros() -> None:
    """A run that found nothing to do says that it examined nothing, without a form of zeros."""
    assert (
        msgspec.json.decode(b"{}", type=JobResult) == JobResult()
    )  # as earlier versions wrote it
    assert msgspec.json.encode(JobResult()) == b'{"examined":0}'
