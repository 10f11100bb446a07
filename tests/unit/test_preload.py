"""What a worker does before its first call, so that nothing of it makes a later one late."""

import gc

import pytest

from worker.preload import NEW_OBJECTS, calm_collector, preload


@pytest.fixture
def collector():
    """Leave the collector as it was."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def test_the_collector_leaves_what_is_there_alone_and_looks_after_many_new_objects(collector):
    calm_collector()
    assert gc.get_threshold()[0] == NEW_OBJECTS
    assert gc.get_freeze_count() > 0
    assert gc.isenabled(), "what is in a cycle is still found"


def test_what_is_imported_late_may_be_imported_again_and_again():
    preload()
    preload()
