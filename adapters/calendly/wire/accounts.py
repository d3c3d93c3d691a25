"""Users (Calendly: Get current user)."""

import msgspec


class User(msgspec.Struct):
    """The fields of a user that we keep."""

    uri: str
    current_organization: str
    name: str
    email: str
    timezone: str
    scheduling_url: str
