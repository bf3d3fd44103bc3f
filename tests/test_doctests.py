"""The examples of the docstrings do what they say."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted(
    '.'.join(path.relative_to(ROOT).with_suffix('').parts)
    for path in (ROOT / 'mmsign').rglob('*.py')
    if '>>> ' in path.read_text(encoding='utf-8')
)


class Runner(doctest.DocTestRunner):
    """Skips the test where an example needs what is not installed."""

    def report_unexpected_exception(self, out, test, example, exc_info):
        if isinstance(exc_info[1], ImportError):
            pytest.skip(str(exc_info[1]))
        super().report_unexpected_exception(out, test, example, exc_info)


@pytest.mark.parametrize('name', MODULES)
def test_examples(name, tmp_path, monkeypatch):
    module = importlib.import_module(name)
    runner = Runner(verbose=False, optionflags=doctest.NORMALIZE_WHITESPACE)
    report: list[str] = []
    for number, test in enumerate(doctest.DocTestFinder().find(module)):
        folder = tmp_path / str(number)
        folder.mkdir()
        monkeypatch.chdir(folder)  # for the files that examples write
        runner.run(test, out=report.append)
    assert runner.tries
    if report:
        pytest.fail(''.join(report), pytrace=False)
