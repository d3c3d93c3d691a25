"""Metrics for Prometheus."""

from litestar import Response, get
from prometheus_client import CONTENT_TYPE_LATEST

from adapters.web.params.services import FromServices


@get("/metrics", include_in_schema=False)
async def metrics(services: FromServices) -> Response[bytes]:
    """Return every metric; labels are closed sets of codes and hold no personal data."""
    return Response(services.telemetry.render(), media_type=CONTENT_TYPE_LATEST)
