"""A stack of real processes for each system test."""

import pytest

from tests.system.stack import opened


@pytest.fixture
def stack(tmp_path):
    """A Redis server of the test's own; simulator and workers are started by the test."""
    with opened(tmp_path) as running:
        yield running
