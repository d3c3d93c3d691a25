"""Connecting a Calendly account: to Calendly's consent page and back."""

from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import CookieParameter, QueryParameter
from litestar.response import Redirect

from adapters.web.auth import connect_cookie
from adapters.web.auth.caller import (
    ACTING,
    CREATES_USER,
    NEEDS,
    identified,
    maybe_identified,
    provide_maybe_user_id,
    provide_user_id,
)
from adapters.web.errors.problems import AnyRequest, problem_response
from adapters.web.http.accept import wants_page
from adapters.web.http.base_path import base_path
from adapters.web.middleware.request_log import about_integration
from adapters.web.openapi import examples
from adapters.web.openapi.operations import (
    ACTING_SECURITY,
    CALLER,
    NO_SECURITY,
    answer,
    answers,
    empty,
    json_body,
)
from adapters.web.pages.templating import page
from adapters.web.params.known_query import ANY_QUERY
from adapters.web.params.return_to import checked, with_outcome
from adapters.web.params.services import FromServices, services_of
from adapters.web.schemas.connect import ConfirmConnect, Connected, HeldConnect, StartedConnect
from adapters.web.schemas.integration import Account, Recovered
from adapters.wiring.services import Services
from application.integrations.begin_connect import StartedConnect as Begun
from application.integrations.complete_connect import Callback, ConnectOutcome
from application.integrations.connect_account import ConnectedAccount
from domain import errors
from domain.ids import UserId

ConfirmBody = Annotated[ConfirmConnect, json_body("Confirm", examples.CONFIRM_CONNECT)]


class ConnectController(Controller):
    path = "/api/calendly"
    tags = ("Connect",)

    @get(
        "/connect",
        operation_id="connect",
        opt={NEEDS: ACTING, CREATES_USER: True},
        summary="Send a user to Calendly's consent page",
        description=(
            "Answers with the address to send the user's browser to. After consent the browser "
            "arrives at `return_to` with a handle, and `confirmConnect` completes the flow for "
            "the user who began it. Only a browser, which names `text/html` in `Accept`, is "
            "redirected itself. A cookie binds the flow to it, so it needs no confirmation. "
            "Connecting the same Calendly account again "
            "restores its connection; another one is refused with `account_mismatch`, unless "
            "`replace` says that it takes the place of the first."
        ),
        guards=[identified],
        dependencies={"user_id": Provide(provide_user_id, sync_to_thread=False)},
        security=ACTING_SECURITY,
        responses=answers(
            {
                200: answer(examples.STARTED_CONNECT, "The consent page's address"),
                302: empty("A browser goes to Calendly's consent page"),
            },
            *CALLER,
        ),
    )
    async def connect(
        self,
        request: AnyRequest,
        services: FromServices,
        user_id: NamedDependency[UserId],
        return_to: Annotated[
            str | None,
            QueryParameter(
                description=(
                    "Where the browser goes afterwards, with `calendly=confirm` and "
                    "`calendly_handle`, `calendly=connected` or `calendly=<error code>` added: a "
                    "path, or an address at an allowed origin. A flow that has to be confirmed "
                    "needs it."
                )
            ),
        ] = None,
        replace: Annotated[
            bool,
            QueryParameter(
                description=(
                    "Whether another Calendly account may take the place of the connected one, "
                    "which is then disconnected: revoked at Calendly, erased here."
                )
            ),
        ] = False,
    ) -> Response[StartedConnect] | Redirect:
        settings = services.settings
        back = checked(return_to, (settings.public_url, *settings.return_origins))
        if back is not None and back.startswith("/"):
            back = base_path(settings) + back
        # A cookie set on a program would never reach the browser that comes back.
        bound = wants_page(request)
        begun = await services.begin_connect(
            user_id, return_to=back, bind_browser=bound, replace=replace
        )
        if bound:
            return to_consent(begun, services)
        return Response(StartedConnect(begun.authorize_url, begun.expires_at))

    @get(
        "/callback",
        operation_id="completeConnect",
        # RFC 6749, 4.1.2: parameters that are not known are ignored.
        opt={NEEDS: ACTING, ANY_QUERY: True},
        summary="Complete a connect flow",
        description=(
            "Calendly sends the user's browser here; no other client calls it. A proxy of yours "
            "may add its key and the user of the browser's session: the flow is then completed "
            "for that user immediately, or refused."
        ),
        guards=[maybe_identified],
        dependencies={"user_id": Provide(provide_maybe_user_id, sync_to_thread=False)},
        security=NO_SECURITY,
        responses=answers(
            {
                200: answer(examples.CONNECTED, "Connected"),
                202: answer(examples.HELD_CONNECT, "Waits for its confirmation"),
                302: empty("Back to `return_to`, with the outcome in its query"),
            },
            errors.ConnectStateInvalid,
            errors.ConnectUnconfirmable,
            errors.ConsentDenied,
            errors.ScopesDeclined,
            errors.AccountMismatch,
            errors.GrantRefused,
            errors.CalendlyUnavailable,
            errors.CalendlyUncertain,
            errors.CircuitOpen,
            errors.StorageUnavailable,
        ),
    )
    async def callback(
        self,
        *,
        request: AnyRequest,
        services: FromServices,
        user_id: NamedDependency[UserId | None],
        oauth_state: Annotated[
            str | None,
            QueryParameter(name="state", description="Names the flow. Its code is used once."),
        ] = None,
        code: Annotated[str | None, QueryParameter(description="The authorization code.")] = None,
        error: Annotated[
            str | None, QueryParameter(description="Why Calendly gave no code.")
        ] = None,
        earlier_token: Annotated[
            str | None,
            CookieParameter(
                name=connect_cookie.NAME, description="Binds the flow to its browser."
            ),
        ] = None,
    ) -> Response[Any]:
        # The previous version set one cookie for all flows, under the plain name.
        own_token = request.cookies.get(
            connect_cookie.name_of(oauth_state or "", services.settings)
        )
        try:
            outcome = await services.complete_connect(
                Callback(
                    state=oauth_state,
                    code=code,
                    error=error,
                    browser_token=own_token or earlier_token,
                    user_id=user_id,
                    takes_handle=not wants_page(request),
                )
            )
        except errors.SlotkeeperError as failure:
            return _failed(request, failure)
        if outcome.connected is not None:
            about_integration(outcome.connected.integration_id)
        answered = _answered(request, outcome)
        # The same browser may load the callback of a flow that ended well once more.
        if outcome.error is not None:
            answered.set_cookie(connect_cookie.forget_cookie(oauth_state or "", services.settings))
        return answered

    @post(
        "/connect/confirm",
        operation_id="confirmConnect",
        status_code=200,
        summary="Complete a connect flow for the user who began it",
        description=(
            "Call it for the user whose own session received `calendly_handle`, and with no other "
            "`X-User-Id`. If another user began the flow, the link was passed on: nothing is "
            "stored, and Calendly's code is thrown away. Call it once, within two minutes. A "
            "repetition has the same answer and no effect."
        ),
        guards=[identified],
        dependencies={"user_id": Provide(provide_user_id, sync_to_thread=False)},
        security=ACTING_SECURITY,
        responses=answers(
            {200: answer(examples.CONNECTED, "Connected")},
            *CALLER,
            errors.PayloadTooLarge,
            errors.ConnectHandleInvalid,
            errors.ScopesDeclined,
            errors.AccountMismatch,
            errors.DisconnectInProgress,
            errors.GrantRefused,
            errors.CalendlyUnavailable,
            errors.CalendlyUncertain,
            errors.CircuitOpen,
        ),
    )
    async def confirm(
        self, services: FromServices, user_id: NamedDependency[UserId], data: ConfirmBody
    ) -> Connected:
        connected = await services.confirm_connect(user_id, data.handle)
        about_integration(connected.integration_id)
        return _body(connected)


def to_consent(begun: Begun, services: Services) -> Redirect:
    """Return the redirect to the consent page, with the cookie that binds the browser."""
    cookies = []
    if begun.browser_token is not None:
        cookie = connect_cookie.connect_cookie(begun.state, begun.browser_token, services.settings)
        cookies.append(cookie)
    return Redirect(begun.authorize_url, status_code=302, cookies=cookies)


def _answered(request: AnyRequest, outcome: ConnectOutcome) -> Response[Any]:
    if outcome.return_to is not None:
        request.scope["state"]["error_code"] = outcome.error.code if outcome.error else None
        return Redirect(_destination(outcome.return_to, outcome), status_code=302)
    if outcome.error is not None:
        return _failed(request, outcome.error)
    if outcome.held is not None:
        held = outcome.held
        waiting = HeldConnect("confirm", held.handle.reveal(), held.expires_at)
        return Response(waiting, status_code=202)
    connected = _body(outcome.connected) if outcome.connected else None
    settings = services_of(request).settings
    if connected is not None and wants_page(request):
        application = settings.application_name or urlsplit(settings.public_url).hostname
        return page(
            "connected.html", settings=settings, connected=connected, application=application
        )
    return Response(connected)


def _destination(return_to: str, outcome: ConnectOutcome) -> str:
    if outcome.error is not None:
        return with_outcome(return_to, outcome.error.code)
    if outcome.held is not None:
        return with_outcome(return_to, "confirm", outcome.held.handle)
    return with_outcome(return_to, "connected")


def _body(connected: ConnectedAccount) -> Connected:
    recovery, replaced = connected.recovery, connected.replaced
    return Connected(
        status="recovered" if connected.recovered else "connected",
        integration_id=str(connected.integration_id),
        account=msgspec.convert(connected.account, Account, from_attributes=True),
        recovered=None if recovery is None else Recovered(recovery.cause, recovery.at),
        replaced=None if replaced is None else str(replaced),
    )


def _failed(request: AnyRequest, failure: errors.SlotkeeperError) -> Response[Any]:
    """Return a problem, or a page that says the same to a person."""
    problem = problem_response(request, failure)
    if not wants_page(request):
        return problem
    content, settings = problem.content, services_of(request).settings
    return page("connect_failed.html", settings=settings, status=content.status, problem=content)
