from itertools import pairwise

import pytest
from elan_files import EAF

from mmsign.errors import DataError
from mmsign.interop.elan import read_elan


@pytest.fixture
def read(tmp_path):
    def read(text: str):
        path = tmp_path / 'rec.eaf'
        path.write_text(text, encoding='utf-8')
        return read_elan(path)

    return read


def times(tier) -> list[tuple[str, float, float]]:
    return [(one.symbol, one.start, one.end) for one in tier.annotations]


def test_a_file_of_elan(read):
    file = read(EAF)
    assert list(file.tiers) == ['Übersetzung', 'GLOSS', 'Wörter', 'Wortart', 'leer']
    assert [media.offset for media in file.media] == [0, 0, 0.04]
    assert file.media[0].relative_url == './vorn%20ü.mp4'
    text = file.tiers['Übersetzung']
    assert times(text)[0] == ('Die Sonne scheint & wärmt.', 0.08, 0.48)
    assert text.participant == 'Änne' and text.divided == 0


def test_annotations_without_times_share_those_around_them(read):
    tiers = read(EAF).tiers
    assert times(tiers['GLOSS']) == [
        ('SONNE', 0.081, 0.181),
        ('WÄRME', 0.181, 0.281),
        ('SONNE  DA', 0.281, 0.381),
        ('REGEN', 1.7, 1.9),
        ('', 1.9, 1.999),
    ]
    assert tiers['GLOSS'].divided == 3
    # In the order of the chain, not of the file; and a child of a child.
    assert times(tiers['Wörter']) == [('Sonne', 0.08, 0.28), ('scheint', 0.28, 0.48)]
    assert times(tiers['Wortart']) == [('Verb', 0.28, 0.48)]
    assert tiers['Wortart'].parent == 'Wörter'
    assert tiers['Wortart'].participant == 'Änne'
    assert times(tiers['leer']) == [] and tiers['leer'].participant == 'Ben'


@pytest.mark.parametrize(
    ('old', 'new', 'message'),
    [
        ('</TIER>', '', 'can ELAN open it'),
        ('ANNOTATION_DOCUMENT', 'TRANSCRIPT', 'TRANSCRIPT'),
        ('"milliseconds"', '"PAL-frames"', 'PAL-frames'),
        ('TIME_SLOT_REF2="ts10"', 'TIME_SLOT_REF2="ts99"', 'ts99'),
        ('TIME_VALUE="1700"', 'TIME_VALUE="soon"', 'soon'),
        ('TIME_VALUE="1999"', '', 'has no time'),
        ('TIME_VALUE="1999"', 'TIME_VALUE="1"', 'before its start'),
        ('ANNOTATION_REF="a1"', 'ANNOTATION_REF="a10"', 'a10.*no time'),
        ('<ANNOTATION_DOC', '<!DOCTYPE a [<!ENTITY b "c">]><ANNOTATION_DOC', 'type'),
        ('ANNOTATION_ID="a2"', 'ANNOTATION_ID="a1"', "'a1' is there twice"),
        ('TIME_SLOT_ID="ts2"', 'TIME_SLOT_ID="ts1"', "'ts1' is there twice"),
        ('<LICENSE LICENSE_URL=""/>', '<a>' * 60 + '</a>' * 60, 'too deep'),
    ],
)
def test_broken_files(read, old, new, message):
    assert old in EAF
    with pytest.raises(DataError, match=rf'rec\.eaf(.|\n)*{message}'):
        read(EAF.replace(old, new))


def test_parts_of_an_annotation_meet(read):
    """Whatever their number, and how their times round."""
    first = '<REF_ANNOTATION ANNOTATION_ID="a8" ANNOTATION_REF="a1">'
    text = EAF.replace('TIME_VALUE="80"', 'TIME_VALUE="0"')
    text = text.replace('TIME_VALUE="480"', 'TIME_VALUE="1000"')
    for count in (2, 7, 48, 96):
        names = ['a9', *(f'x{number}' for number in range(count - 2))]
        others = ''.join(
            f'<REF_ANNOTATION ANNOTATION_ID="{name}" ANNOTATION_REF="a1" '
            f'PREVIOUS_ANNOTATION="{before}"><ANNOTATION_VALUE/></REF_ANNOTATION>'
            for before, name in pairwise(names)
        )
        parts = read(text.replace(first, others + first)).tiers['Wörter'].annotations
        assert len(parts) == count
        assert (parts[0].start, parts[-1].end) == (0, 1)
        for one, following in pairwise(parts):
            assert one.end == following.start


def test_no_file(tmp_path):
    with pytest.raises(DataError, match='gone'):
        read_elan(tmp_path / 'gone.eaf')
