"""The application that an ASGI server runs: `uvicorn --factory adapters.asgi:create_app`.

Importing this module connects to nothing and reads no setting.
"""

import os

from litestar import Litestar

from adapters.bootstrap import open_services
from adapters.settings import load_settings
from adapters.web.app import build_app


def create_app() -> Litestar:
    """Return the application as the environment configures it. Raises SettingsError."""
    return build_app(load_settings(os.environ), open_services)
