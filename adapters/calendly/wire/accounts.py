"""Users (Calendly: Get current user)."""

import msgspec


class User(msgspec.Struct):
    uri: str
    current_organization: str
    name: str
    email: str
    timezone: str
    scheduling_url: str
