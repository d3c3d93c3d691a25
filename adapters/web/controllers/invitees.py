"""Erasing an invitee who asked to be forgotten."""

from typing import Annotated

from litestar import post
from msgspec import convert

from adapters.web.auth.caller import NEEDS
from adapters.web.auth.operator import ERASING
from adapters.web.controllers.caller_controllers import Operator, OperatorController
from adapters.web.openapi import examples
from adapters.web.openapi.operations import ERASING_SECURITY, OPERATOR, answer, answers, json_body
from adapters.web.params.services import FromServices
from adapters.web.schemas.invitees import EraseInvitee, Erasure
from domain import errors

EraseBody = Annotated[EraseInvitee, json_body("Erase", examples.ERASE_INVITEE)]


class InviteesController(OperatorController):
    path = "/api/invitees"
    tags = ("Operators",)
    security = ERASING_SECURITY

    @post(
        "/erase",
        operation_id="eraseInvitee",
        opt={NEEDS: ERASING},
        summary="Erase an invitee, over all users",
        description=(
            "Bookings lose name, address, links and all else that identifies the person, and keep "
            "their time and status; stored webhooks are rewritten. Facts of these bookings that "
            "Calendly sends later stay anonymous. Calendly is not called. May be repeated."
        ),
        status_code=200,
        responses=answers(
            {200: answer(examples.ERASURE, "Erased")},
            *OPERATOR,
            errors.PayloadTooLarge,
            errors.SealedValueUnreadable,
        ),
    )
    async def erase(self, services: FromServices, operator: Operator, data: EraseBody) -> Erasure:
        done = await services.erase_invitee(data.email, operator)
        return convert(done, Erasure, from_attributes=True)
