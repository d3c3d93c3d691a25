from io import StringIO

import pytest
from rich.console import Console

from adapters.local_stack.configuration.addresses import StackAddresses
from adapters.local_stack.foreground import announce, first_request

ADDRESSES = StackAddresses(
    web_url="http://localhost:8000",
    api_docs_url="http://localhost:8000/schema",
    sandbox_url="http://localhost:8090",
    temporal_address="127.0.0.1:7233",
    temporal_namespace="default",
    temporal_ui_url="http://localhost:8233",
    worker_metrics_url="http://localhost:9464/metrics",
    database_url="postgresql://slotkeeper:a-password-of-some-length@127.0.0.1:54329/slotkeeper",
    api_key="sk_" + "0123456789" * 5,
    cron_secret="a-cron-secret",
    demo_user="demo",
    logs={},
    pids={},
)


def printed(width: int, replaced: dict[str, int]) -> str:
    """The text as a terminal of *width* columns gets it."""
    out = StringIO()
    announce(Console(file=out, width=width), ADDRESSES, replaced)
    return out.getvalue()


@pytest.mark.parametrize("width", [40, 80, 200])
def test_text_to_be_copied_is_never_broken(width: int) -> None:
    """Addresses, key and request stay whole, no matter how narrow the terminal is."""
    text = printed(width, {})

    for whole in (ADDRESSES.database_url, ADDRESSES.api_key, first_request(ADDRESSES)):
        assert whole in text


def test_replaced_ports_are_printed() -> None:
    """Each port in use is printed with the part that has another one."""
    text = printed(80, {"web": 8000, "temporal_ui": 8233})

    assert "web page: port 8000 is in use, another one was chosen." in text
    assert "Temporal UI: port 8233 is in use, another one was chosen." in text


def test_the_cron_secret_is_not_printed() -> None:
    """A secret that a first look does not need stays in its file."""
    assert ADDRESSES.cron_secret not in printed(80, {})
