import random
from pathlib import Path

import pytest

from mmsign.datasets.io.recording_files import RecordedVideo
from mmsign.datasets.recordings import (
    Sentence,
    at_pauses,
    glosses_of,
    in_sentences,
    split_of,
    tier_of,
    within_video,
)
from mmsign.errors import ConfigError, DataError
from mmsign.interop.elan import ElanFile, ElanTier
from mmsign.timing import TimedGloss


def tier(*times: tuple[str, float, float]) -> ElanTier:
    return ElanTier(tuple(TimedGloss(s, a, round(b - a, 3)) for s, a, b in times))


def test_a_tier_that_is_not_there():
    file = ElanFile(tiers=dict(GLOSSE=tier(('A', 0, 1)), TEXT=ElanTier()))
    with pytest.raises(DataError, match=r"'GLOSS'.*'GLOSSE' \(1 .*'TEXT' \(0 "):
        tier_of(file, 'GLOSS')
    with pytest.raises(DataError, match='none'):
        tier_of(ElanFile(), 'GLOSS')


def test_overlapping_annotations():
    touching = tier(('A', 0, 1), ('B', 1, 2))
    assert tier_of(ElanFile(tiers=dict(GLOSS=touching)), 'GLOSS') is touching
    file = ElanFile(tiers=dict(GLOSS=tier(('A', 0, 1.001), ('B', 1, 2))))
    with pytest.raises(DataError, match=r"'A' at 0\.000-1\.001 s and 'B' at 1\.000"):
        tier_of(file, 'GLOSS')


def test_glosses_have_no_white_space():
    notices = []
    found = glosses_of(tier(('A', 0, 1), (' ', 1, 2), (' B  C\n', 2, 3)), notices)
    assert [(one.symbol, one.start) for one in found] == [('A', 0), ('B_C', 2)]
    assert '1 empty' in notices[0] and "'_'" in notices[1] and len(notices) == 2
    with pytest.raises(DataError, match='legible'):
        glosses_of(tier(('A\u202e', 0, 1)), [])


def test_sentences_between_pauses():
    """Every gloss is in one sentence, which no other overlaps."""
    generator = random.Random(0)
    for _ in range(100):
        edges = sorted(generator.sample(range(20_000), 2 * generator.randint(1, 12)))
        glosses = [
            TimedGloss('A', a / 1000, round((b - a) / 1000, 3))
            for a, b in zip(edges[::2], edges[1::2])
        ]
        sentences = at_pauses(glosses, pause=1.0, length=20.0)
        assert [g for one in sentences for g in one.glosses] == glosses
        for one, following in zip(sentences, sentences[1:]):
            assert following.glosses[0].start - one.glosses[-1].end >= 0.9999
            assert one.end <= following.start + 1e-9
        for one in sentences:
            assert 0 <= one.start <= one.glosses[0].start
            assert one.glosses[-1].end <= one.end <= 20
            gaps = zip(one.glosses, one.glosses[1:])
            assert all(b.start - a.end < 1.0 for a, b in gaps)


def test_sentences_of_a_tier():
    texts = tier(('Es  regnet.', 1.0, 2.0), ('Ja.', 2.0, 3.0), ('', 5, 6)).annotations
    glosses = tier(('A', 0.2, 0.8), ('B', 0.8, 1.3), ('C', 1.6, 2.4), ('D', 2.4, 3.6))
    notices = []
    found = in_sentences(glosses.annotations, texts, notices)
    kept = [(one.text, [g.symbol for g in one.glosses]) for one in found]
    # The middle of C is where the second begins.
    assert kept == [('Es regnet.', ['B']), ('Ja.', ['C'])]
    notice, bare = notices
    assert '1 sentences without a gloss' in bare and '5.000 s' in bare
    assert notice.startswith('2 glosses outside of every sentence') and "'A'" in notice


def video(length: float) -> RecordedVideo:
    return RecordedVideo(Path('rec.mp4'), length, 0.04, 25.0)


def test_what_lies_behind_the_end_of_the_video():
    glosses = tier(('A', 1.0, 1.5), ('B', 1.8, 2.1)).annotations
    notices = []
    (whole,) = within_video(at_pauses(glosses, 1.0, 2.0), video(2.0), notices)
    assert (whole.end, len(whole.glosses), len(notices)) == (2.0, 2, 1)
    (_,) = within_video(at_pauses(glosses, 1.0, 2.07), video(2.07), notices)
    assert len(notices) == 1  # within a frame
    with pytest.raises(DataError, match=r"'B'.*1\.900 s"):
        within_video(at_pauses(glosses, 1.0, 1.9), video(1.9), [])
    with pytest.raises(DataError, match=r"'Ja\.' at 2\.000"):
        within_video([Sentence(2.0, 3.0, text='Ja.')], video(2.0), [])
    given = [Sentence(*t) for t in ((0, 0.04), (0.5, 0.5), (1, 1.02), (1.97, 2.5))]
    kept = within_video(given, video(2.0), notices)
    assert kept == given[:1] and '3 clips shorter than a frame' in notices[-1]


def test_splits_of_recordings():
    splits = dict(dev=['ben/*'], test=['ann', 'b*2'])
    assert [split_of(n, splits) for n in ('ann', 'anna', 'ben/1')] == [
        *('test', 'train', 'dev')
    ]
    with pytest.raises(ConfigError, match='ben/2'):
        split_of('ben/2', splits)
