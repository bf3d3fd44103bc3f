from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REPORT = """<testsuites><testsuite>
<testcase classname="tests.a" name="good"/>
<testcase classname="tests.a" name="bad"><failure message="no"/></testcase>
<testcase classname="tests.a" name="broken"><error message="no"/></testcase>
<testcase classname="tests.b" name="left"><skipped/></testcase>
</testsuite></testsuites>"""


@pytest.fixture(scope='module')
def tool():
    path = ROOT / 'tools' / 'compatibility.py'
    spec = importlib.util.spec_from_file_location('tool_compatibility', path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


def test_every_test_belongs_to_a_group(tool):
    groups = tool.test_groups()
    found = {
        test
        for paths in groups.values()
        for path in paths
        for test in (
            [ROOT / path]
            if path.endswith('.py')
            else ROOT.joinpath(path).rglob('test_*.py')
        )
    }
    assert found == set((ROOT / 'tests').rglob('test_*.py'))
    assert {'compat', 'models', 'top'} <= groups.keys()


def test_counts_of_a_report(tool, tmp_path):
    report = tmp_path / 'r.xml'
    report.write_text(REPORT)
    counts, failures = tool.read_counts(report)
    assert counts == tool.Counts(passed=1, failed=2, skipped=1)
    assert failures == ['tests.a::bad', 'tests.a::broken']


def results(tool, cell: str, status: int) -> dict:
    group = dict(
        status=status,
        counts=dict(passed=5, failed=status, skipped=1),
        failures=['tests.a::bad'] * status,
    )
    versions = {name: '1.0' for name in ('Python', *tool.SHOWN)}
    return dict(
        pins=list(tool.CELLS[cell]), versions=versions, groups=dict(compat=group)
    )


def test_the_table_says_what_failed_and_what_did_not_run(tool, tmp_path):
    for cell, status in (('reference', 0), ('oldest', 1)):
        (tmp_path / cell).mkdir()
        record = tmp_path / cell / 'results.json'
        record.write_text(json.dumps(results(tool, cell, status)))
    cells = [tool.Cell(tmp_path, name) for name in ('reference', 'oldest', 'numpy-1')]
    lines = tool.table(cells).splitlines()
    assert lines[2].startswith('| reference | 1.0 |') and '| 5 | 0 | 1 | ' in lines[2]
    assert 'models' in lines[2] and 'compat' not in lines[2]
    assert '| 5 | 1 | 1 | ' in lines[3] and lines[4].endswith('| 0 | 0 | 0 | all |')
    assert lines[-1] == '- oldest, compat: `tests.a::bad`'


@pytest.mark.parametrize(('status', 'runs'), [(0, 0), (1, 1)])
def test_what_passed_is_not_run_again(status, runs, tool, tmp_path, monkeypatch):
    (tmp_path / 'oldest').mkdir()
    record = tmp_path / 'oldest' / 'results.json'
    record.write_text(json.dumps(results(tool, 'oldest', status)))
    called = []

    def run(command, **kwargs):
        called.append(command)
        Path(command[4].partition('=')[2]).write_text(REPORT)
        return type('Done', (), dict(returncode=1))

    cell = tool.Cell(tmp_path, 'oldest')
    monkeypatch.setattr(tool, 'revision', lambda: 'abc')
    monkeypatch.setattr(tool.subprocess, 'run', run)
    cell.run('compat', ['tests/compat'], 1)
    assert len(called) == runs
    if runs:
        group = json.loads(record.read_text())['groups']['compat']
        assert group['counts'] == dict(passed=1, failed=2, skipped=1)
        assert called[0][-1] == 'tests/compat'


def test_other_pins_make_another_cell(tool, tmp_path):
    (tmp_path / 'oldest').mkdir()
    old = results(tool, 'oldest', 0) | dict(pins=['torch==1.0'])
    (tmp_path / 'oldest' / 'results.json').write_text(json.dumps(old))
    assert tool.Cell(tmp_path, 'oldest').results['groups'] == {}
