import random
from itertools import combinations

import numpy as np
import pytest
import torch

from mmsign.decoding import CTCBeamSearch, StepClock, decode_outputs
from mmsign.structures import SignDataSample, TimedGloss
from mmsign.visualization.clip_view import ClipView
from mmsign.visualization.timeline import (
    COLOURS,
    LINES,
    ClipPosteriors,
    Timeline,
    even_spans,
    panels,
)
from mmsign.visualization.timeline_figure import colours_of, pack
from mmsign.vocab import GlossVocabulary

VOCAB = GlossVocabulary(['RAIN', 'SUN', '天'])
STEPS = np.array([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0.6, 0.4]], np.float32)
GLOSSES = {
    'video': [
        TimedGloss('RAIN', 0, 4),
        TimedGloss('SUN', 8, 2),
        TimedGloss('SUN', 10, 2),
    ]
}


def timeline(outputs=('video', 'average'), **changes):
    clip = ClipPosteriors(VOCAB, dict.fromkeys(outputs, STEPS), np.arange(0, 16, 4.0))
    settings = dict(glosses=GLOSSES, posteriors=clip, longest=200)
    return Timeline('clip', (0, 12), **settings | changes)


def test_of_one_output_no_average_is_shown():
    assert [p.title for p in panels(timeline())] == ['video']
    three = timeline(outputs=('video', 'keypoint', 'average'))
    assert [p.title for p in panels(three)] == ['video', 'keypoint', 'average']


def test_labels_name_glosses_errors_and_what_was_nearly_recognized():
    reference, video = panels(timeline(reference=['RAIN', 'SUN', '天', '天']))
    assert reference.note == 'order only'  # four glosses do not fit
    assert [label.time for label in reference.labels] == [1.5, 4.5, 7.5, 10.5]
    assert video.note == 'S 1  D 1  I 0' and video.curves
    assert [(x.text, x.time, x.wrong, x.faint) for x in video.labels] == [
        ('RAIN', 2, False, False),
        ('SUN', 9, False, False),
        ('SUN [S]', 11, True, False),
        ('#3 0.40', 10, False, True),
    ]
    # Without a reference nothing is an error.
    (alone,) = panels(timeline())
    assert alone.note == '' and not any(label.wrong for label in alone.labels)


def test_without_posteriors_there_are_glosses_in_time():
    reference, video = panels(timeline(posteriors=None, reference=['RAIN', 'RAIN']))
    assert [label.span for label in reference.labels] == [(0, 6), (6, 12)]
    assert [x.text for x in video.labels] == ['RAIN', 'SUN [I]', 'SUN [S]']
    assert not video.curves and timeline(posteriors=None).name('天') == '#?'


def test_the_reference_is_aligned():
    reference = panels(timeline(reference=['RAIN', 'SUN']))[0]
    assert (reference.title, reference.note) == ('reference', 'aligned')
    found = [(label.text, label.span) for label in reference.labels]
    assert found == [('RAIN', (0, 4)), ('SUN', (8, 12))]


def test_names_that_no_font_has_become_numbers():
    names = ['天', '雨', 'MÄSSIG']
    assert [timeline().name(name) for name in names] == ['#3', '#?', 'MÄSSIG']


def test_long_clips_have_several_rows():
    def rows(*span):
        return Timeline('clip', span, longest=200).rows

    assert rows(0, 249) == [(0, 249)]
    assert rows(50, 450) == [(50, 250), (250, 450)]
    assert rows(0, 0) == [(0, 1)]
    assert len(rows(0, 10_000)) == 40 and rows(0, 10_000)[-1][1] == 10_000


def test_a_label_is_in_one_row():
    (video,) = panels(timeline())
    shown = [video.within(row, row[1] == 12) for row in ((0, 9), (9, 12))]
    assert [[label.text for label in row] for row in shown] == [
        ['RAIN'],
        ['SUN', 'SUN', '#3 0.40'],  # remarks last
    ]


def test_frames_are_spread_over_the_rows_and_no_more_than_there_are():
    view = ClipView((0, 0, 1, 1), np.zeros((28, 2, 2, 3), np.uint8))
    shown = Timeline('x', (0, 28), view=view, times=np.arange(28) + 0.5)
    assert list(shown.frames((0, 28)).values()) == list(range(0, 28, 2))
    assert shown.frames((4, 6)) == {4.5: 4, 5.5: 5}
    assert shown.frames((40, 44)) == {42: 27}
    assert timeline().frames((0, 12)) == {}


def test_a_time_is_divided_evenly():
    assert even_spans(2, 10, 20) == [(10, 15), (15, 20)]
    assert even_spans(0, 0, 1) == []


def test_labels_stand_where_they_belong_if_there_is_room():
    assert pack([1, 4], [1, 1], 10) == [(0, 0.5), (0, 3.5)]
    assert pack([1, 1.5, 2.25], [1, 1, 1], 10, gap=0.125) == [
        (0, 0.5),
        (1, 1.0),
        (0, 1.75),
    ]
    assert pack([0, 10], [2, 2], 10) == [(0, 0), (0, 8)]
    assert pack([5], [12], 10) == [(0, 0)]  # wider than the room


def test_no_two_labels_overlap():
    generator = random.Random(0)
    middles = [generator.uniform(0, 14) for _ in range(60)]
    widths = [generator.uniform(0.3, 1.5) for _ in range(60)]
    places = pack(middles, widths, 14, gap=0.05)
    boxes = [(lane, left, left + w) for (lane, left), w in zip(places, widths)]
    for (lane, a, b), (other, c, d) in combinations(boxes, 2):
        assert lane != other or b < c or d < a


def test_each_gloss_keeps_its_colour_and_colours_never_repeat_with_the_same_line():
    styles = colours_of(['A', 'B', 'A', *map(str, range(20))])
    assert styles['A'] == dict(color=COLOURS[0], linestyle='-')
    assert styles['B'] == dict(color=COLOURS[1], linestyle='-')
    different = {tuple(style.values()) for style in styles.values()}
    assert len(different) == len(styles) == 22 <= len(COLOURS) * len(LINES)


# Posteriors --------------------------------------------------------------------------

WORDS = GlossVocabulary(['RAIN', 'SUN', 'WIND'], aliases={'DRIZZLE': 'RAIN'})
# Blank, RAIN, SUN, WIND; six steps of four frames.
LIKELY = np.array(
    [
        [0.9, 0.1, 0.0, 0.0],
        [0.1, 0.9, 0.0, 0.0],
        [0.2, 0.8, 0.0, 0.0],
        [0.7, 0.0, 0.0, 0.3],
        [0.4, 0.0, 0.6, 0.0],
        [0.5, 0.0, 0.1, 0.4],
    ],
    np.float32,
)
CLIP = ClipPosteriors(WORDS, {'video': LIKELY}, np.arange(0, 28, 4.0))


def test_the_reference_lies_where_the_decoder_would_put_it():
    (found,) = CTCBeamSearch()(np.log(LIKELY + 1e-9)[None])
    assert found[0].ids == (1, 2)
    assert CLIP.reference_spans(['RAIN', 'SUN']) == [(4, 12), (16, 20)]
    assert CLIP.reference_spans(['DRIZZLE', 'SUN']) == [(4, 12), (16, 20)]
    assert CLIP.reference_spans([]) == []


@pytest.mark.parametrize('glosses', [['HAIL'], ['RAIN', 'SUN'] * 9])
def test_what_the_network_cannot_spell_has_no_place(glosses):
    assert CLIP.reference_spans(glosses) is None


def test_the_average_places_the_reference():
    later = np.roll(LIKELY, 1, axis=0)
    both = ClipPosteriors(WORDS, {'video': LIKELY, 'average': later}, CLIP.edges)
    assert both.reference_spans(['RAIN', 'SUN']) == [(8, 16), (20, 24)]


def test_probable_glosses_get_a_curve():
    assert CLIP.prominent('video') == ['RAIN', 'SUN', 'WIND']
    start = ClipPosteriors(WORDS, {'video': LIKELY[:3]}, CLIP.edges[:4])
    assert start.prominent('video') == ['RAIN']
    assert start.prominent('video', ['WIND', 'HAIL']) == ['RAIN', 'WIND']
    names = [f'G{i}' for i in range(20)]
    steps = np.float32([[0, *np.linspace(0.9, 0.4, 20)]])
    many = ClipPosteriors(GlossVocabulary(names), {'video': steps}, CLIP.edges[:2])
    assert many.prominent('video', ['G19']) == [*names[:12], 'G19']


def test_curves_are_the_probabilities():
    np.testing.assert_array_equal(CLIP.curve('video', 'SUN'), LIKELY[:, 2])
    np.testing.assert_array_equal(CLIP.curve('video', None), LIKELY[:, 0])


def test_peaks_that_were_not_decoded_are_found():
    peaks = CLIP.undecoded_peaks('video', 'WIND', [])
    assert peaks == [(14, pytest.approx(0.3)), (22, pytest.approx(0.4))]
    assert CLIP.undecoded_peaks('video', 'RAIN', [(8, 12)]) == []
    assert CLIP.undecoded_peaks('video', 'RAIN', [(16, 20)]) == [
        (6, pytest.approx(0.9))
    ]


def test_a_clip_without_steps_is_empty():
    none = ClipPosteriors(WORDS, {'video': LIKELY[:0]}, np.array([0.0]))
    assert none.prominent('video', ['SUN']) == ['SUN']
    assert none.reference_spans(['SUN']) is None
    assert none.undecoded_peaks('video', 'SUN', []) == []


def test_steps_of_padding_are_left_out():
    clock = StepClock.of_frames(np.arange(6, 14), frames=16, steps=4)
    log_probs = {'video': torch.from_numpy(LIKELY[None, :4]).log()}
    sample = SignDataSample()
    decode_outputs([sample], log_probs, [clock], CTCBeamSearch(), WORDS)
    found = ClipPosteriors.of(WORDS, sample)
    np.testing.assert_allclose(found.probabilities['video'], LIKELY[:2], rtol=1e-6)
    np.testing.assert_array_equal(found.edges, [6, 10, 14])
