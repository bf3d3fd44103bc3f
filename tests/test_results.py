"""RESULTS.md has every result that README, docs and metafiles quote.

A result is a number of README or docs, outside of code and formulas, with a decimal
point, with a unit of time, memory, speed or share, or behind the name of a score. It
has to stand in RESULTS.md, with the same unit if it has one. Such a number that is no
result is

- a version behind the name of a program (`VERSION`), or
- part of a phrase in `SETTINGS`, which says what it is: a setting, a given size.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
RESULTS = (ROOT / 'RESULTS.md').read_text(encoding='utf-8')
PAGES = [ROOT / 'README.md', *sorted((ROOT / 'docs').glob('*.md'))]
UNITS = {
    '%': '% percent',
    '×': '× times',
    'frames/s': 'frames/s frames~a~second frames~per~second',
    's': 's second seconds',
    'min': 'minute minutes',
    'h': 'hour hours',
}
UNITS |= dict.fromkeys(('ms', 'kB', 'MB', 'GB', 'MiB', 'GiB', 'GFLOP'), '')
UNITS |= {'million': 'million M'}
SPELLED = {
    word.replace('~', ' '): unit
    for unit, words in UNITS.items()
    for word in [unit, *words.split()]
}
WORDS = '|'.join(sorted(map(re.escape, SPELLED), key=len, reverse=True))
NUMBER = re.compile(
    r'(?<![\w.])(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(?!\w|[.,]?\d)'
    rf'(?:\s({WORDS})(?!\w))?'
)
SCORE = re.compile(
    r'\b(?:WER|error rate|BLEU-\d|ROUGE-L|chrF|[Aa]ccuracy)'
    r'[^\d.,;|]{,12}? (\d+)(?!\w|[.,]?\d)'
)
VERSION = re.compile(
    r'\b(?:Python|PyTorch|torch|Before|numpy|transformers|from|before|OpenCV|EAF|'
    r'versions) \d+\.\d+(?: to \d+\.\d+)?'
)
# Phrases of a page, in one line as they are read, that hold no result.
SETTINGS = {
    'checkpoints.md': ['word error rate near 100 %'],
    'composing.md': ['more than 5 % of the clips'],
    'data.md': ['25 frames per second for Phoenix'],
    'files.md': ['seconds (1 s) without a gloss'],
    'inference.md': [
        'at most 5 % of the development',
        'stays over 2 s and ten frames',
        'score below 0.3 in nine',
        'blank is at least 90 % certain',
        'over 30 minutes of stream',
    ],
    'keypoints.md': [
        'a score of 0.5 means',
        # What a grid of half a pixel of the network's input is in the frame.
        'makes 1.4 pixels wide',
    ],
    'landmarks.md': ['33 × (x', '468 × (x', '21 × (x'],
    'method.md': [
        'the same 4.3 pixels of a map',
        '70 to 100 % of the frame',
        'aspect 0.75 to 1.3 (uniform',
        'probability 0.3 the colours',
        'by up to 40 %, hue',
        'from scratch, use 0.1.',
        'section 3.2)',
        'dropout 0.1 between',
        'at most 5 % of the signs',
        'at most 5 % of the idle',
        'at least 0.9 is final',
        'β = (0.9, 0.998)',
        'the middle 95 %)',
    ],
    'metrics.md': [
        'β = 1.2, as much',
        "split's signs (5 %)",
        'drawn with replacement 2000 times',
        'the middle 95 % of the WERs',
    ],
    'recipes.md': ['80 to 120 % of its length'],
    'scaling.md': ['a GPU of 24 GB'],
    'training.md': ['momentum of 0.001 presumes'],
}


def prose(text: str) -> str:
    """A page in one line a paragraph, without code, formulas and links' targets."""
    text = re.sub(r'^ *```.*?^ *```', '', text, flags=re.DOTALL | re.MULTILINE)
    # A number alone is one, in whatever type.
    text = re.sub(r'`([\d.,]+)`', r'\1', text)
    for part in (r'`[^`]*`', r'\$[^$]*\$', r'(?<=\])\([^)]*\)'):
        text = re.sub(part, '', text)
    return re.sub(r'\s+', ' ', text)


def numbers(text: str) -> Iterator[tuple[str, Decimal, str]]:
    """As written, value and unit of all numbers."""
    for found in NUMBER.finditer(prose(text)):
        value = Decimal(found[1].replace(',', ''))
        yield found[0], value, SPELLED[found[2]] if found[2] else ''


KNOWN = {(value, unit) for _, value, unit in numbers(RESULTS)}
VALUES = {value for value, _ in KNOWN}


def unsupported(text: str, settings: list[str]) -> list[str]:
    """Results of a page that are not in RESULTS.md."""
    text = prose(text)
    for phrase in settings:
        assert phrase in text, f'no longer there, remove it from SETTINGS: {phrase}'
        text = text.replace(phrase, '')
    text = VERSION.sub('', text)
    scores = [found[1] for found in SCORE.finditer(text)]
    return [score for score in scores if Decimal(score) not in VALUES] + [
        written
        for written, value, unit in numbers(text)
        if (unit and (value, unit) not in KNOWN)
        or ('.' in written and value not in VALUES)
    ]


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.stem)
def test_what_is_quoted_is_in_the_results(page):
    found = unsupported(page.read_text(encoding='utf-8'), SETTINGS.get(page.name, []))
    assert not found, f'{page.name}: add to RESULTS.md, or to SETTINGS here: {found}'


@pytest.mark.parametrize(
    'claim',
    [
        'reached a WER of 3.17.',
        'a WER of `3.17`.',
        'Its BLEU-4 was 57',
        '| average | 3.17 ± 0.2 |',
        'in 6,123 s, of which',
        'halves it: 51.3 %',
        'takes 17 GiB',
        'needs 10.90 ms',  # a word error rate there
        'twice as fast: 431\ntimes',
    ],
)
def test_an_invented_result_is_found(claim):
    page = (ROOT / 'README.md').read_text(encoding='utf-8')
    found = unsupported(f'{page}\n\n{claim}\n', [])
    assert len(found) > len(unsupported(page, []))


def test_settings_in_code_are_none():
    assert not unsupported('`dropout=0.53`\n```python\nx = 3.17\n```\nPyTorch 2.9', [])


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip('|').split('|')]


def published() -> dict[tuple[str, str], str]:
    """(config without corpus, column) → cell of the tables of what others publish."""
    found, head = {}, []
    for line in RESULTS.partition('## Published\n')[2].splitlines():
        if line.startswith('| config'):
            head = cells(line)
        elif line.startswith('| `'):
            names, *rest = cells(line)
            for name in re.findall(r'`([^`]+)`', names):
                found |= {
                    (name, column): cell for column, cell in zip(head[1:], rest) if cell
                }
    return found


def test_metafiles_say_what_is_published():
    table, quoted = published(), 0
    for path in sorted((ROOT / 'configs').rglob('*metafile.yml')):
        for model in yaml.safe_load(path.read_text(encoding='utf-8'))['Models']:
            name = re.sub(r'_(phoenix(2014T)?|csl)$', '', model['Name'])
            name = re.sub(r'/(phoenix|csl)/', '/', name)
            for result in model['Results']:
                metrics = result.get('Metrics') or {}
                if not metrics:
                    continue
                splits = ['test'] if 'BLEU-4 (test)' in metrics else ['dev', 'test']
                of = {re.search(r'\((\w+)\)', key)[1]: metrics[key] for key in metrics}
                # YAML reads 28.00 as 28.0.
                said = [Decimal(str(of[s])) if s in of else None for s in splits]
                parts = table[name, result['Dataset']].split(' / ')
                there = [None if part == '–' else Decimal(part) for part in parts]
                assert there == said, f'{path.name}: {model["Name"]}'
                quoted += 1
    assert quoted > 30


def test_commands_exist():
    scripts = {path.name: path for path in (ROOT / 'tools').rglob('*.*')}
    named = set(re.findall(r'[\w/{},]+\.(?:py|sh)\b', RESULTS))
    assert len(named) > 10
    for name in named:
        start, braces, end = re.fullmatch(r'([^{]*)(?:\{(.*)\})?(.*)', name).groups()
        for part in (braces or '').split(','):
            path = start + part + end
            is_there = any((ROOT / at / path).is_file() for at in ('', 'configs'))
            assert is_there or path in scripts, f'RESULTS.md: no {path}'


def test_every_subject_says_what_prints_it():
    sections = re.split(r'^## ', RESULTS, flags=re.MULTILINE)[1:]
    for section in sections:
        title = section.splitlines()[0]
        if title != 'Published':
            assert re.search(r'\w+\.(?:py|sh)\b', section), f'{title}: no command'
