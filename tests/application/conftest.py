"""The product over fakes, for tests of use cases, and waits that take no time."""

import asyncio
from collections.abc import Callable, Mapping

import pytest

from tests.application.support.building import Product
from tests.application.support.passing_time import PassingTimeLoop
from tests.application.support.process import Process


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Let every asynchronous test here run without waiting."""
    return {"passing_time": PassingTimeLoop}


@pytest.fixture
def product() -> Product:
    """The whole product over one store and one Calendly."""
    return Product()


@pytest.fixture
def process(product: Product) -> Process:
    """One process of the product."""
    return Process(product, "process-1")
