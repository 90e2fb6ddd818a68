"""Settings of the whole suite: the same examples everywhere, so that a failure can be repeated."""

import os

import hypothesis
import numpy
import pytest

hypothesis.settings.register_profile("fixed", derandomize=True, deadline=None, database=None, max_examples=25)
hypothesis.settings.load_profile("fixed")
os.environ["CRABGRAD_CACHE"] = "off"  # each test compiles for itself, and leaves nothing behind
STATES: dict = {}  # of the modules' generators before the first test


@pytest.fixture(autouse=True)
def errors_of_numpy():
    """NumPy's own settings for each test, also after one that was interrupted between two of them."""
    with numpy.errstate(all="warn", under="ignore"):
        yield


@pytest.fixture(autouse=True)
def same_numbers(request):
    """What a test draws from its module's RNG does not depend on the tests before it, which differ in parallel runs."""
    if rng := getattr(request.module, "RNG", None):
        rng.bit_generator.state = STATES.setdefault(request.module, rng.bit_generator.state)
    yield
