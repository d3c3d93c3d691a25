"""The application that an ASGI server runs: `uvicorn --factory adapters.asgi:create_app`.

Importing this module connects to nothing and reads no setting.
"""

import gc
import os

from litestar import Litestar

from adapters.bootstrap import open_services
from adapters.settings import load_settings
from adapters.web.app import build_app


def create_app() -> Litestar:
    """Return the application as the environment configures it. Raises SettingsError."""
    app = build_app(load_settings(os.environ), open_services)
    # The objects that exist now live as long as the process. To search them for cycles would
    # delay a webhook by up to 100 ms each time.
    gc.collect()
    gc.freeze()
    return app
