"""For Piccolo's own commands only; the service passes its database URL explicitly.

Importing this connects to nothing and works without DATABASE_URL, since Piccolo's migrations
look for their engine here.
"""

import os

from piccolo.conf.apps import AppRegistry

from adapters.persistence.address import connect_arguments
from adapters.persistence.engine import InertEngine
from domain.secret import Secret

_URL = os.environ.get("DATABASE_URL")

DB = InertEngine(config=connect_arguments(Secret(_URL)) if _URL else {})
APP_REGISTRY = AppRegistry(apps=["adapters.persistence.piccolo_app"])
