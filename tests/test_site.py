"""The documentation site: every page is in mkdocs.yml, and it can be built."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from mmsign.datasets.transforms import ClipFlip
from mmsign.decoding import CTCBeamSearch
from mmsign.evaluation import WERMetric

ROOT = Path(__file__).parents[1]


def listed(entry) -> list[str]:
    """Pages of an entry of the nav, in order."""
    if isinstance(entry, str):
        return [entry]
    parts = entry if isinstance(entry, list) else entry.values()
    return [page for part in parts for page in listed(part)]


def test_the_nav_lists_every_page_once():
    nav = yaml.safe_load((ROOT / 'mkdocs.yml').read_text(encoding='utf-8'))['nav']
    # README.md is the first page, others of the root have lower-case names.
    names = {path.name.lower() for path in ROOT.glob('*.md')} - {'readme.md'}
    names |= {
        p.relative_to(ROOT / 'docs').as_posix() for p in ROOT.glob('docs/**/*.md')
    }
    pages = listed(nav)
    missing = names - {*pages}
    assert not missing, f'name under nav in mkdocs.yml, where they belong: {missing}'
    gone = {*pages} - names - {'index.md', 'reference/'}
    assert not gone, f'remove from nav in mkdocs.yml: {gone}'
    assert len(pages) == len({*pages}) and pages[0] == 'index.md'


def test_pictures_of_the_gallery_are_small_and_stand_above_their_command():
    text = (ROOT / 'docs' / 'gallery.md').read_text(encoding='utf-8')
    pictures = {path.name for path in (ROOT / 'docs' / 'gallery').glob('*.png')}
    assert {*re.findall(r'\]\(gallery/(\w+\.png)\)', text)} == pictures
    for name in pictures:
        assert (ROOT / 'docs' / 'gallery' / name).stat().st_size < 150_000
    for section in text.split('\n## ')[1:]:
        assert '```bash\n' in section


@pytest.mark.slow
def test_the_site_is_built(tmp_path):
    for module in ('material', 'math_core', 'mkdocstrings'):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f'{module} is not installed: the extra [docs]')
    done = subprocess.run(
        ['bash', ROOT / 'tools' / 'build_docs.sh', tmp_path / 'site'],
        env=os.environ | dict(PYTHON=sys.executable),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    site = tmp_path / 'site'
    assert '<math' in (site / 'method.html').read_text(encoding='utf-8')
    assert 'id="your-own-clips"' in (site / 'data.html').read_text(encoding='utf-8')
    for part in (WERMetric, CTCBeamSearch, ClipFlip):
        module = part.__module__
        page = site / 'reference' / f'{module.rpartition(".")[0]}.html'
        assert f'id="{module}.{part.__name__}"' in page.read_text(encoding='utf-8')
    # Nothing of it is asked of another host.
    foreign = re.compile(r'<(?:script|link|img|iframe)\b[^>]*(?:src|href)="(?:\w+:)?//')
    for page in site.rglob('*.html'):
        assert not foreign.search(page.read_text(encoding='utf-8')), page
