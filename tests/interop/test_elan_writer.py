import random
from xml.etree import ElementTree

import pytest

from mmsign.errors import DataError
from mmsign.interop.elan import ElanFile, ElanTier, read_elan
from mmsign.interop.elan_writer import in_succession, media_of, write_elan
from mmsign.timing import TimedGloss


def tiers() -> dict[str, ElanTier]:
    times = [(1, 334), (334, 335), (700, 3_600_001)]
    glosses = tuple(
        TimedGloss(name, a / 1000, (b - a) / 1000)
        for name, (a, b) in zip(('ÜBER', '<&">', 'a  b'), times)
    )
    sure = tuple(TimedGloss('0.5', one.start, one.duration) for one in glosses)
    return {
        'GLOSS': ElanTier(glosses, 'Änne'),
        'sure': ElanTier(sure, 'Änne', parent='GLOSS', divided=3),
        'TEXT': ElanTier((TimedGloss('ja', 0.0, 5.0),)),
        'empty': ElanTier(),
    }


def test_a_round_trip_loses_nothing(tmp_path):
    media = (media_of(tmp_path / 'sub' / 'ü r.mp4', tmp_path / 'rec.eaf'),)
    file = ElanFile(media, tiers())
    for path in (tmp_path / 'rec.eaf', tmp_path / 'again.eaf'):
        write_elan(path, file)
        assert (file := read_elan(path)) == ElanFile(media, tiers())
    assert media[0].relative_url == './sub/ü r.mp4'


def test_what_the_schema_asks_for(tmp_path):
    """The order of elements, keys that are there once, references that lead there."""
    media = (media_of(tmp_path / 'rec.mp4', tmp_path / 'rec.eaf'),)
    write_elan(tmp_path / 'rec.eaf', ElanFile(media, tiers()))
    root = ElementTree.parse(tmp_path / 'rec.eaf').getroot()
    order = ['HEADER', 'TIME_ORDER', *['TIER'] * 4, *['LINGUISTIC_TYPE'] * 2]
    assert [child.tag for child in root] == order + ['CONSTRAINT'] * 4
    assert {'AUTHOR', 'DATE', 'VERSION', 'FORMAT'} <= set(root.attrib)
    ids = [e.attrib[k] for e in root.iter() for k in e.attrib if k.endswith('TION_ID')]
    slots = [slot.attrib['TIME_SLOT_ID'] for slot in root.iter('TIME_SLOT')]
    values = [int(slot.attrib['TIME_VALUE']) for slot in root.iter('TIME_SLOT')]
    assert len(set(ids)) == len(ids) == 7 and values == sorted(values)
    used = [
        one.attrib[key]
        for one in root.iter('ALIGNABLE_ANNOTATION')
        for key in ('TIME_SLOT_REF1', 'TIME_SLOT_REF2')
    ]
    assert sorted(used) == sorted(slots)
    assert {r.attrib['ANNOTATION_REF'] for r in root.iter('REF_ANNOTATION')} <= set(ids)
    kinds = {e.attrib['LINGUISTIC_TYPE_ID'] for e in root.iter('LINGUISTIC_TYPE')}
    assert {t.attrib['LINGUISTIC_TYPE_REF'] for t in root.iter('TIER')} == kinds
    link = root.find('HEADER/MEDIA_DESCRIPTOR').attrib
    assert link['MEDIA_URL'] == f'file://{tmp_path}/rec.mp4'
    assert link['MIME_TYPE'] == 'video/mp4'


def test_annotations_in_succession():
    generator = random.Random(0)
    for _ in range(200):
        count = generator.randint(0, 9)
        times = [generator.randint(0, 30) / 4000 for _ in range(2 * count)]
        given = [TimedGloss('A', a, max(b - a, 0)) for a, b in zip(times, times[1:])]
        made = in_succession(given)
        assert len(made) == len(given)
        free = 0
        for one, old in zip(made, sorted(given, key=lambda one: one.start)):
            start, end = round(1000 * one.start), round(1000 * one.end)
            assert free <= start < end and start >= round(1000 * old.start)
            free = end
    apart = (TimedGloss('A', 0.001, 0.001, 0.5), TimedGloss('B', 0.002, 1.0))
    assert in_succession(apart) == apart


@pytest.mark.parametrize(
    ('name', 'tier', 'message'),
    [
        ('GLOSS', ElanTier((TimedGloss('A\x01', 0, 1),)), 'XML'),
        ('GLOSS', ElanTier((TimedGloss('A\udcff', 0, 1),)), 'XML'),
        ('GLOSS', ElanTier((TimedGloss('A', 0, 1), TimedGloss('B', 0.5, 1))), "'B'"),
        ('GLOSS', ElanTier((TimedGloss('A', 1, 0),)), 'empty'),
        ('GLOSS', ElanTier((TimedGloss('A', 1, 1),), parent='other'), 'other'),
    ],
)
def test_what_cannot_be_written(tmp_path, name, tier, message):
    with pytest.raises(DataError, match=message):
        write_elan(tmp_path / 'rec.eaf', ElanFile(tiers={name: tier}))
    assert not list(tmp_path.iterdir())
