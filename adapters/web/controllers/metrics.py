"""Metrics for Prometheus."""

from litestar import Response, get
from prometheus_client import CONTENT_TYPE_LATEST

from adapters.web.params.services import FromServices


@get("/metrics", include_in_schema=False)
async def metrics(services: FromServices) -> Response[bytes]:
    """Return every metric; labels are closed sets of codes, so nobody's data is among them."""
    return Response(services.telemetry.render(), media_type=CONTENT_TYPE_LATEST)
