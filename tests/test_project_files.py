"""What stands around the code agrees with it."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

import mmsign

ROOT = Path(__file__).parents[1]


def read(name: str) -> dict:
    return yaml.safe_load((ROOT / name).read_text(encoding='utf-8'))


def test_the_workflow_runs_what_developers_run():
    steps = read('.github/workflows/ci.yml')['jobs']['tests']['steps']
    assert steps[-1] == dict(run='bash .ci/run')
    assert 'bash tools/run_tests.sh\n' in (ROOT / '.ci' / 'run').read_text()


def test_one_ruff_everywhere():
    requirements = (ROOT / 'requirements' / 'tests.txt').read_text(encoding='utf-8')
    (ruff,) = re.findall(r'^ruff.*$', requirements, re.MULTILINE)
    (repository,) = read('.pre-commit-config.yaml')['repos']
    assert [hook['additional_dependencies'] for hook in repository['hooks']] == [
        [ruff],
        [ruff],
    ]


def test_the_citation_names_this_version():
    assert read('CITATION.cff')['version'] == mmsign.__version__


def test_issue_templates_name_scripts_that_are_there():
    for template in ('bug', 'question'):
        form = read(f'.github/ISSUE_TEMPLATE/{template}.yml')
        text = ' '.join(part['attributes']['description'] for part in form['body'])
        scripts = re.findall(r'tools/[\w/]+\.py', text)
        assert 'tools/collect_env.py' in scripts
        assert all((ROOT / script).is_file() for script in scripts)
