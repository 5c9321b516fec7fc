"""Where the real data is; without it these tests are skipped, and fail when CI says that nothing may be missing."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder named by WANGGE_REAL_DATA."""
    named = os.environ.get("WANGGE_REAL_DATA")
    if not named:
        if os.environ.get("CI") == "true":
            pytest.fail("WANGGE_REAL_DATA is not set: real data not tested")
        pytest.skip("WANGGE_REAL_DATA is not set: real data not tested")
    return Path(named)
