"""Metrics for Prometheus."""

from litestar import Response, get
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from adapters.web.http.refusals import REGISTRY
from adapters.web.params.services import FromServices


@get("/metrics", include_in_schema=False)
async def metrics(services: FromServices) -> Response[bytes]:
    """Return every metric; labels are closed sets of codes and hold no personal data."""
    rendered = services.telemetry.render() + generate_latest(REGISTRY)
    return Response(rendered, media_type=CONTENT_TYPE_LATEST)
