"""How a handler gets the use cases: it asks for `services: FromServices`."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any, TypeAlias, cast

from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import SkipValidationMarker

from adapters.settings import Settings
from adapters.wiring.services import Services

ServicesFactory: TypeAlias = Callable[[Settings], AbstractAsyncContextManager[Services]]

# The composition root builds the services, so Litestar does not validate them.
FromServices: TypeAlias = Annotated[NamedDependency[Services], SkipValidationMarker()]


def services_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Services:
    """Return the services that the application's lifespan opened."""
    return cast(Services, connection.app.state.services)


def provide_services(state: State) -> Services:
    return cast(Services, state.services)
