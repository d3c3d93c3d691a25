"""Stored webhooks for operators: list, show, replay."""

from typing import Annotated
from uuid import UUID

from litestar import get, post
from litestar.params import FromPath, QueryParameter
from msgspec import convert

from adapters.web.controllers.caller_controllers import Operator, OperatorController
from adapters.web.openapi import examples
from adapters.web.openapi.operations import OPERATOR, answer, answers
from adapters.web.params.cursor import Cursor, decode_id
from adapters.web.params.services import FromServices
from adapters.web.schemas.webhook_events import (
    Replayed,
    WebhookEvent,
    WebhookEventPage,
    WebhookEventWithBody,
)
from application.ports.storage.webhook_archive import StoredWebhook, WebhookQuery, WebhookStatus
from domain import errors
from domain.audit import AuditAction
from domain.ids import WebhookEventId

_REASON = QueryParameter(
    description="Only those with this reason, a code.", max_length=64, pattern=r"^[\w.-]*$"
)
Reason = Annotated[str | None, _REASON]


class WebhookEventsController(OperatorController):
    path = "/api/webhook-events"
    tags = ("Operators",)

    @get(
        operation_id="listWebhookEvents",
        summary="Stored webhooks, the latest first",
        responses=answers(
            {200: answer(examples.WEBHOOK_EVENT_PAGE, "A page of stored webhooks")},
            *OPERATOR,
            errors.InvalidCursor,
        ),
    )
    async def list_events(
        self,
        services: FromServices,
        operator: Operator,
        *,
        status: Annotated[WebhookStatus | None, QueryParameter(description="Only these.")] = None,
        reason: Reason = None,
        limit: Annotated[int, QueryParameter(description="Events a page.", ge=1, le=100)] = 50,
        cursor: Cursor = None,
    ) -> WebhookEventPage:
        query = WebhookQuery(
            limit=limit,
            status=status,
            reason=reason,
            after=None if cursor is None else WebhookEventId(decode_id(cursor)),
        )
        page = await services.list_webhooks(query)
        await services.audit.record(operator, AuditAction.WEBHOOKS_LISTED)
        return WebhookEventPage(
            items=tuple(map(_event, page.items)),
            next_cursor=None if page.next is None else page.next.hex,
        )

    @get(
        "/{event_id:uuid}",
        operation_id="getWebhookEvent",
        summary="One stored webhook",
        description="The body holds personal data; links that act without a login are removed.",
        responses=answers(
            {200: answer(examples.WEBHOOK_EVENT, "The stored webhook")},
            *OPERATOR,
            errors.WebhookEventNotFound,
            errors.SealedValueUnreadable,
        ),
    )
    async def show(
        self,
        services: FromServices,
        operator: Operator,
        event_id: FromPath[UUID],
        *,
        with_body: Annotated[
            bool, QueryParameter(description="Whether to show the body.")
        ] = False,
    ) -> WebhookEventWithBody:
        shown = await services.show_webhook(WebhookEventId(event_id), with_body=with_body)
        act = AuditAction.WEBHOOK_BODY_SHOWN if with_body else AuditAction.WEBHOOK_SHOWN
        await services.audit.record(operator, act, event_id)
        fields = {name: getattr(shown.webhook, name) for name in StoredWebhook.__struct_fields__}
        return convert({**fields, "body": shown.body}, WebhookEventWithBody)

    @post(
        "/{event_id:uuid}/replay",
        operation_id="replayWebhookEvent",
        summary="Replay one stored webhook",
        description=(
            "It is applied again, immediately. The replay is recorded; replaying an applied webhook "
            "changes nothing."
        ),
        status_code=202,
        responses=answers(
            {202: answer(examples.PUT_BACK, "Replayed")}, *OPERATOR, errors.WebhookEventNotFound
        ),
    )
    async def replay(
        self,
        services: FromServices,
        operator: Operator,
        event_id: FromPath[UUID],
    ) -> WebhookEvent:
        return _event(await services.replay_webhook(WebhookEventId(event_id), operator))

    @post(
        "/replay-dead-letters",
        operation_id="replayDeadLetters",
        summary="Replay all dead letters",
        status_code=202,
        responses=answers({202: answer(examples.REPLAYED, "Replayed")}, *OPERATOR),
    )
    async def replay_dead_letters(
        self, services: FromServices, operator: Operator, reason: Reason = None
    ) -> Replayed:
        return Replayed(await services.replay_webhook.dead_letters(operator, reason))


def _event(webhook: StoredWebhook) -> WebhookEvent:
    return convert(webhook, WebhookEvent, from_attributes=True)
