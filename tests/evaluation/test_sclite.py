import os
import random
import stat

import pytest

from mmsign.errors import ConfigError
from mmsign.evaluation import WordErrors, sentence_errors
from mmsign.evaluation.sclite import sclite_command, sclite_errors, verify_with_sclite

needs_sclite = pytest.mark.skipif(sclite_command() is None, reason='needs NIST sclite')


def corpus(seed):
    """Sentences of words that sclite would read otherwise, some of them empty."""
    rng = random.Random(seed)
    words = ['a', 'A', 'ß', '你', '{', '@', ';;', '(x)', '<F>', 'a/b', '***']
    words = words[: rng.randint(2, len(words))]
    return [
        [rng.choices(words, k=rng.choice((0, *range(12)))) for _ in range(30)]
        for _ in range(2)
    ]


@needs_sclite
@pytest.mark.parametrize('seed', range(20))
def test_random_corpora_count_the_same(seed):
    references, hypotheses = corpus(seed)
    found = sclite_errors(references, hypotheses)
    assert found == list(map(sentence_errors, references, hypotheses))
    verify_with_sclite(references, hypotheses)


@needs_sclite
def test_nothing_to_count():
    assert sclite_errors([[]], [[]]) == [WordErrors(sentences=1, correct_sentences=1)]


@pytest.fixture
def fake_sclite(tmp_path, monkeypatch):
    """Puts a program called sclite on the PATH that prints what it is told."""

    def make(text, status=0):
        program = tmp_path / 'sclite'
        program.write_text(f"#!/bin/sh\nprintf '%b' '{text}'\nexit {status}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv('PATH', f'{tmp_path}{os.pathsep}{os.defpath}')

    return make


def test_a_difference_names_the_sentence(fake_sclite):
    scores = 'Scores: (#C #S #D #I)'
    # Both sentences begin with one more word, which is right.
    fake_sclite(f'id: (s-0)\\n{scores} 2 0 0 0\\nid: (s-1)\\n{scores} 1 0 1 1\\n')
    with pytest.raises(ConfigError, match='sentence 2.*S 0, D 1, I 1'):
        verify_with_sclite([['a'], ['b']], [['a'], ['c']])


def test_sclite_that_fails(fake_sclite):
    fake_sclite('', status=3)
    with pytest.raises(ConfigError, match='status 3'):
        sclite_errors([['a']], [['b']])


def test_not_installed(tmp_path, monkeypatch):
    monkeypatch.setenv('PATH', str(tmp_path))
    with pytest.raises(ConfigError, match='sctk'):
        verify_with_sclite([['a']], [['a']])
