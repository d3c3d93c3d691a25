"""httpx over aiohttp, with failures classified by whether the request may have left.

The rule not to break: only a failure *before* the connection was established may become a connect
error. Every caller reads that error as "nothing was processed".
"""

import ssl

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

_BEFORE_CONNECTED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


class CalendlyTransport(AiohttpTransport):
    """One pool of connections; opens nothing before the first request.

    httpx-aiohttp 0.2 reports every aiohttp connection error as `ConnectTimeout`, a server that
    hung up after reading the request included. For a single-use token that is the difference
    between "try again" and "the grant may be gone", so it is put right here.
    """

    def __init__(self, *, limits: httpx.Limits) -> None:
        context = httpx.create_ssl_context(trust_env=False)
        super().__init__(
            verify=context,
            trust_env=False,
            limits=limits,
            client=lambda: _session(context, limits),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request.

        Raises:
            httpx.ConnectError: no connection was made; nothing left.
            httpx.ReadError: the connection broke later; the request may have been read.

        """
        try:
            return await super().handle_async_request(request)
        except (httpx.ConnectTimeout, httpx.ConnectError) as failure:
            if isinstance(failure.__cause__, _BEFORE_CONNECTED):
                raise
            raise httpx.ReadError("the connection broke", request=request) from failure
        except (aiohttp.ClientError, OSError) as failure:
            # Errors that httpx-aiohttp does not translate, for example an answer that is not HTTP.
            raise httpx.RemoteProtocolError("not an HTTP answer", request=request) from failure


def _session(context: ssl.SSLContext, limits: httpx.Limits) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        limit=limits.max_connections or 0,
        keepalive_timeout=limits.keepalive_expiry,
        ssl=context,
    )
    # One session serves every user, so no cookie of one answer may ride on another's request.
    return aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
    )
