from __future__ import annotations

import re
from pathlib import Path

from mmsign.version import __version__

ROOT = Path(__file__).parents[1]


def test_the_changelog_begins_with_this_version():
    assert re.fullmatch(r'\d+\.\d+\.\d+((a|b|rc)\d+)?', __version__)
    text = (ROOT / 'CHANGELOG.md').read_text(encoding='utf-8')
    first, second = re.findall(r'^## (\S+)', text, re.MULTILINE)[:2]
    # What is not released yet stands above the last release.
    assert __version__ in (first, second if first == 'Unreleased' else first)


def test_setup_can_read_it_without_running_it():
    text = (ROOT / 'mmsign' / 'version.py').read_text(encoding='utf-8')
    assert re.findall(r"^__version__ = '(.+)'$", text, re.MULTILINE) == [__version__]
