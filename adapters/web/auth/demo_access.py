"""Access to the page's demo user: only a browser on this machine has it.

The demo user's buttons ask for no key, so they exist only where the service is reached at a
loopback address. A browser names the address it asked for in Host; a site that points its own
name at this machine (DNS rebinding) names another one.
"""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import PermissionDeniedException
from litestar.handlers import BaseRouteHandler

from adapters.settings import Settings
from adapters.variables.loopback import is_loopback
from adapters.variables.variable import Fault


def demo_faults(settings: Settings) -> list[Fault]:
    if settings.demo_user is None or is_loopback(settings.public_url):
        return []
    problem = "is set, but PUBLIC_URL is not this machine: its page needs no key"
    return [Fault("DEMO_USER", problem, "Leave it out, or reach the service at localhost.")]


def asked_locally(connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
    return is_loopback(f"//{connection.headers.get('host', '')}")


def local_only(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    """Let only a browser through that asked for this machine. Raises PermissionDenied (403)."""
    if not asked_locally(connection):
        raise PermissionDeniedException
