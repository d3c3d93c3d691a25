"""The two kinds of callers that name an API key: for one user, or as an operator."""

from typing import TypeAlias

from litestar import Controller
from litestar.di import NamedDependency, Provide

from adapters.web.auth.caller import identified, provide_program, provide_user_id
from adapters.web.auth.operator import operating, provide_operator
from adapters.web.openapi.operations import API_SECURITY, OPERATOR_SECURITY
from domain.audit import Actor
from domain.ids import UserId

CallersUser: TypeAlias = NamedDependency[UserId]
Operator: TypeAlias = NamedDependency[Actor]
Program: TypeAlias = NamedDependency[Actor]


class UserController(Controller):
    """Handlers that act for the user in X-User-Id; they take `user_id: CallersUser`.

    A handler that leaves an entry in the audit trail also takes `program: Program`.
    """

    guards = (identified,)
    dependencies = {  # noqa: RUF012
        "user_id": Provide(provide_user_id, sync_to_thread=False),
        "program": Provide(provide_program, sync_to_thread=False),
    }
    security = API_SECURITY


class OperatorController(Controller):
    """Handlers over all users; they take `operator: Operator`, for the audit trail."""

    guards = (operating,)
    dependencies = {"operator": Provide(provide_operator, sync_to_thread=False)}  # noqa: RUF012
    security = OPERATOR_SECURITY
