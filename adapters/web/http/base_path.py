"""The path of PUBLIC_URL, which a browser sees and a proxy removes before the service."""

from urllib.parse import urlsplit

from adapters.settings import Settings


def base_path(settings: Settings) -> str:
    """Return the path as `/slots`, without a slash at its end; empty if there is none."""
    path = urlsplit(settings.public_url).path.strip("/")
    return f"/{path}" if path else ""
