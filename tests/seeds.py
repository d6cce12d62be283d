"""A seed that is another in every run, and the same in all processes of one."""

import os
import random
from functools import cache


@cache
def any_seed() -> int:
    """Up to a million; a test that is given it says it by its name."""
    return random.Random(os.environ.get("PYTEST_XDIST_TESTRUNUID")).randrange(10**6)
