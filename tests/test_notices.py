"""A notice is said once, whichever process comes to it."""

from __future__ import annotations

import multiprocessing

import pytest

from mmsign import notices
from mmsign.notices import warn_once


@pytest.fixture
def said(monkeypatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(notices, 'warn', found.append)
    return found


def test_once(said):
    for clip in ('c1', 'c1', 'c2'):
        warn_once(f'clip {clip}: too dark')
    assert said == ['clip c1: too dark', 'clip c2: too dark']


def test_the_first_of_several(said):
    for clip in ('c1', 'c2'):
        warn_once(f'clip {clip}: too bright', subject='brightness')
    assert said == ['clip c1: too bright']


@pytest.mark.skipif(
    'fork' not in multiprocessing.get_all_start_methods(), reason='no processes fork'
)
def test_new_workers_do_not_say_it_again(said):
    text = 'clip c1: out of focus'
    worker = multiprocessing.get_context('fork').Process(target=warn_once, args=[text])
    worker.start()
    worker.join()
    assert worker.exitcode == 0
    warn_once(text)
    assert not said
