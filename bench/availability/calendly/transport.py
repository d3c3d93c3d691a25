"""The Calendly in this very process, as what carries an httpx client's requests."""

import asyncio
from random import Random

import httpx

from bench.availability.calendly.answers import Asked, Calendly

LATENCY = 0.004  # seconds, on average, in each direction


class InProcess(httpx.AsyncBaseTransport):
    """Takes a little while both ways, so that things happen while a request is on its way."""

    def __init__(self, calendly: Calendly) -> None:
        self._calendly = calendly
        self._random = Random("latency")  # noqa: S311 - the same in every run

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        headers = request.headers
        asked = Asked(
            request.url.path,
            request.url.query.decode(),
            headers.get("authorization", ""),
            headers.get("if-none-match"),
        )
        await asyncio.sleep(2 * LATENCY * self._random.random())
        answer = self._calendly.answer(asked)
        await asyncio.sleep(2 * LATENCY * self._random.random())
        return httpx.Response(answer.status, headers=answer.headers, content=answer.body)
