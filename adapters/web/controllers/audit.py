"""The audit trail, for operators."""

from typing import Annotated

from litestar import get
from litestar.params import QueryParameter
from msgspec import convert

from adapters.web.controllers.caller_controllers import Operator, OperatorController
from adapters.web.openapi import examples
from adapters.web.openapi.operations import OPERATOR, answer, answers
from adapters.web.params.cursor import Cursor, decode_id
from adapters.web.params.services import FromServices
from adapters.web.schemas.audit import AuditEntry, AuditPage
from domain import errors
from domain.audit import AuditAction


class AuditController(OperatorController):
    path = "/api/audit"
    tags = ("Operators",)

    @get(
        operation_id="listAudit",
        summary="The audit trail, the latest entry first",
        description="The actor, the act, its object and its time. The call leaves an entry too.",
        responses=answers(
            {200: answer(examples.AUDIT_PAGE, "A page of entries")},
            *OPERATOR,
            errors.InvalidCursor,
        ),
    )
    async def list_entries(
        self,
        services: FromServices,
        operator: Operator,
        limit: Annotated[int, QueryParameter(description="Entries a page.", ge=1, le=100)] = 50,
        cursor: Cursor = None,
    ) -> AuditPage:
        entries = await services.audit.page(
            limit + 1, None if cursor is None else decode_id(cursor)
        )
        await services.audit.record(operator, AuditAction.AUDIT_LISTED)
        items = tuple(convert(each, AuditEntry, from_attributes=True) for each in entries[:limit])
        more = len(entries) > limit
        return AuditPage(items, items[-1].id.hex if more else None)
