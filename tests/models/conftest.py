"""Fixtures for the tests of the models."""

from __future__ import annotations

import pytest
from tiny_models import two_stream


@pytest.fixture(scope='session')
def full_network():
    """A narrow full network, shared by tests that do not change it."""
    return two_stream().eval()
