"""How one sandbox is started. Inert data; nothing here opens or reads anything."""

import msgspec


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `python -m sandbox`; times in seconds."""

    users: int = 0
    seed: int = 1
    client_id: str = "sandbox-client"
    client_secret: str = "sandbox-secret"  # noqa: S105 - valid only at this sandbox
    signing_key: str = "sandbox-signing-key"
    redirect_uris: tuple[str, ...] = ()
    resource_base: str = "https://api.calendly.com"
    # Calendly: webhook time-outs
    # Names of this sandbox beside those of this machine.
    hosts: tuple[str, ...] = ()
    delivery_connect_timeout: float = 10.0
    delivery_read_timeout: float = 15.0
    delivery_concurrency: int = 64
