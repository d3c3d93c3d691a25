from adapters.local_stack.demo.journey import STEPS
from tests.journeys.conftest import Walked


def test_every_step_of_the_journey_sees_what_it_says(walked: Walked) -> None:
    """A new user gets from the first start to a disconnected account over real HTTP."""
    failed = [f"{seen.title}: {seen.detail}" for seen in walked.steps if not seen.ok]

    assert failed == []
    assert [step.title for step in STEPS] == [seen.title for seen in walked.steps]
