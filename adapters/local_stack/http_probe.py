"""One question to a local process over HTTP: does this address answer with 200 now."""

import httpx


def answers_ok(url: str) -> bool:
    """False for any other status and while nobody listens; takes at most two seconds."""
    try:
        # Proxies of the shell's environment have no business with the loopback interface.
        return httpx.get(url, timeout=2.0, trust_env=False).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
