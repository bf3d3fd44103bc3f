"""Fixtures for the tests of the models."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from conftest_models import two_stream


@pytest.fixture(scope='session')
def full_network():
    """A narrow full network, shared by tests that do not change it."""
    return two_stream().eval()
