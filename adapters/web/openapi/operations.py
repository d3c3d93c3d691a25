"""The responses of each operation in the OpenAPI document.

A handler lists the error classes that it can raise; statuses and examples follow from them.
"""

from collections import defaultdict
from collections.abc import Mapping

import msgspec
from litestar.enums import RequestEncodingType
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example, SecurityRequirement
from litestar.params import BodyKwarg

from adapters.web.errors.problem_table import row_of
from adapters.web.errors.problems import PROBLEM_JSON
from adapters.web.schemas.problem import Problem
from domain import errors

API_SECURITY: list[SecurityRequirement] = [{"api_key": []}]
"""A user's call: `document.py` adds the scopes that its method needs."""
ACTING_SECURITY: list[SecurityRequirement] = [{"api_key": ["app"]}]
CRON_SECURITY: list[SecurityRequirement] = [{"cron_secret": []}]
OPERATOR_SECURITY: list[SecurityRequirement] = [{"operator": ["operator"]}]
ERASING_SECURITY: list[SecurityRequirement] = [{"operator": ["erase"]}]
NO_SECURITY: list[SecurityRequirement] = []

CALLER = (
    errors.ApiKeyInvalid,
    errors.KeyScopeMissing,
    errors.KeyNetworkRefused,
    errors.InvalidInput,
    errors.RateLimited,
    errors.StorageUnavailable,
)
OPERATOR = CALLER
CALLING_CALENDLY = (
    errors.IntegrationNotFound,
    errors.ReauthRequired,
    errors.SealedValueUnreadable,
    errors.ScopeMissing,
    errors.CalendlyForbidden,
    errors.CalendlyThrottled,
    errors.CalendlyProtocolError,
    errors.CalendlyUnavailable,
    errors.CircuitOpen,
    errors.RefreshInProgress,
)
ACTING = (
    errors.IdempotencyKeyMissing,
    errors.IdempotencyKeyReused,
    errors.CommandInProgress,
    errors.CalendlyUncertain,
    errors.CalendlyRejected,
)


def answers(
    good: Mapping[int, ResponseSpec], *problems: type[errors.SlotkeeperError]
) -> dict[int, ResponseSpec]:
    """Return the documented responses: the good ones, and a problem for each error class.

    Any operation may meet an unexpected error, so `internal` is one of them.
    """
    by_status: dict[int, list[type[errors.SlotkeeperError]]] = defaultdict(list)
    documented: tuple[type[errors.SlotkeeperError], ...] = (errors.SlotkeeperError, *problems)
    for problem in documented:
        by_status[row_of(problem).status].append(problem)
    return {**good, **{status: _problem(each) for status, each in sorted(by_status.items())}}


def answer(value: msgspec.Struct, description: str) -> ResponseSpec:
    """Return a good response with a body, described by an example.

    The example stays a Struct: from a dict the framework would drop null values.
    """
    return ResponseSpec(
        data_container=type(value),
        generate_examples=False,
        description=description,
        examples=[Example(summary=description, value=value)],
    )


def empty(description: str) -> ResponseSpec:
    """Return a good response without a body."""
    return ResponseSpec(data_container=None, generate_examples=False, description=description)


def json_body(summary: str, example: msgspec.Struct) -> BodyKwarg:
    """Return the declaration of a JSON body, described by an example."""
    return BodyKwarg(
        media_type=RequestEncodingType.JSON, examples=[Example(summary=summary, value=example)]
    )


def _problem(of_status: list[type[errors.SlotkeeperError]]) -> ResponseSpec:
    codes = ", ".join(f"`{each.code}`" for each in of_status)
    return ResponseSpec(
        data_container=Problem,
        generate_examples=False,
        media_type=PROBLEM_JSON,
        description=f"{row_of(of_status[0]).title}. Codes: {codes}.",
        examples=[
            Example(id=each.code, summary=each.code, value=_example(each)) for each in of_status
        ],
    )


def _example(problem: type[errors.SlotkeeperError]) -> Problem:
    row = row_of(problem)
    return Problem(
        type=f"urn:slotkeeper:problem:{problem.code}",
        title=row.title,
        status=row.status,
        detail=(problem.__doc__ or "").partition("\n")[0],
        code=problem.code,
        kind=problem.kind,
        instance="urn:slotkeeper:request:4bf92f3577b34da6a3ce929d0e0e4736",
        retry_after=row.retry_after,
    )
