import http.client
import socket

from workflows.metrics_endpoint import metrics_endpoint


def get(port: int, path: str) -> tuple[int, bytes, str | None]:
    """Return the status, body and content type of a GET."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", path)
    response = connection.getresponse()
    answer = response.status, response.read(), response.getheader("Content-Type")
    connection.close()
    return answer


def test_a_worker_serves_its_metrics() -> None:
    """Prometheus reads the worker's counters as they are at that moment."""
    counts = iter([b"a_total 1\n", b"a_total 2\n"])

    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]

    with metrics_endpoint(lambda: next(counts), listener):
        first = get(port, "/metrics")
        second = get(port, "/metrics")
        other = get(port, "/")

    assert first[:2] == (200, b"a_total 1\n")
    assert second[1] == b"a_total 2\n"
    assert (first[2] or "").startswith("text/plain")
    assert other[0] == 404
