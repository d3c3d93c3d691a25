"""Erasing a user of the team's."""

from typing import Annotated

from litestar import delete
from litestar.params import PathParameter
from msgspec import convert

from adapters.web.auth.caller import NEEDS
from adapters.web.auth.operator import ERASING
from adapters.web.controllers.caller_controllers import Operator, OperatorController
from adapters.web.openapi import examples
from adapters.web.openapi.operations import ERASING_SECURITY, OPERATOR, answer, answers
from adapters.web.params.services import FromServices
from adapters.web.schemas.users import UserErasure
from domain import errors

ExternalId = Annotated[
    str, PathParameter(description="The team's own id of the user, as in X-User-Id.")
]


class UsersController(OperatorController):
    path = "/api/users"
    tags = ("Operators",)
    security = ERASING_SECURITY

    @delete(
        "/{external_id:str}",
        operation_id="eraseUser",
        opt={NEEDS: ERASING},
        summary="Erase a user",
        description=(
            "From the answer on no call finds the user. Their tokens are revoked at Calendly, and "
            "integrations, cache, bookings, stored webhooks, idempotency keys and the user are "
            "deleted, by a durable job within a day even if Calendly is down now. An unknown user "
            "is answered in the same way. May be repeated. An id with `/`, `%`, `;` or `\\` "
            "cannot be part of an address: use `slotkeeper erase-user`."
        ),
        status_code=202,
        responses=answers(
            {202: answer(examples.USER_ERASURE, "Being erased")},
            *OPERATOR,
            errors.SealedValueUnreadable,
        ),
    )
    async def erase(
        self, services: FromServices, operator: Operator, external_id: ExternalId
    ) -> UserErasure:
        done = await services.erase_user(external_id, operator)
        return convert(done, UserErasure, from_attributes=True)
