"""An httpx client that hands each request straight to its transport.

httpx adds redirects, authentication flows, cookies, hooks and a log line with the URL. None of
these may happen to a request that carries a user's token, and they cost a fifth of a call.
"""

from typing import Any

import httpx

from adapters.calendly.bounded_body import AnswerTooLarge, bound


class DirectClient(httpx.AsyncClient):
    """Sends each request unchanged: follows no redirect, keeps no cookie, logs no URL.

    Args:
        transport: carries the requests.
        options: httpx's own; those that speak of redirects, cookies, auth or hooks have no effect.

    """

    def __init__(self, transport: httpx.AsyncBaseTransport, **options: Any) -> None:
        super().__init__(transport=transport, **options)
        self._carrier = transport
        self._time_outs = self.timeout.as_dict()

    async def send(self, request: httpx.Request, **_: Any) -> httpx.Response:
        """Send a request and read the whole answer, decompressed.

        A refusal whose body is too large, or cannot be decompressed, keeps its status and loses
        its body.

        Raises:
            AnswerTooLarge: the body of a success exceeds `bounded_body.MOST_BYTES`.
            httpx.DecodingError: the body of a success is not what its Content-Encoding says.
            httpx.HTTPError: from the transport.
            RuntimeError: the client was closed.

        """
        if self.is_closed:
            raise RuntimeError("The HTTP client was closed; nothing can be sent any more.")
        request.extensions.setdefault("timeout", self._time_outs)
        response = await self._carrier.handle_async_request(request)
        response.request = request
        if not response.is_closed:
            bound(response)
        try:
            await response.aread()
        except (AnswerTooLarge, httpx.DecodingError):
            await response.aclose()
            if response.is_success:
                raise
            return _without_body(response, request)
        except BaseException:
            await response.aclose()
            raise
        return response


def _without_body(response: httpx.Response, request: httpx.Request) -> httpx.Response:
    """Return a refusal by its status and headers; those name a wait, for example."""
    return httpx.Response(response.status_code, headers=response.headers, request=request)
