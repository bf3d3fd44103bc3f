import numpy as np
import pytest
import torch

from mmsign.decoding import CTCBeamSearch, StepClock
from mmsign.visualization.timeline import ClipPosteriors
from mmsign.vocab import GlossVocabulary

VOCAB = GlossVocabulary(['RAIN', 'SUN', 'WIND'], aliases={'DRIZZLE': 'RAIN'})
# Blank, RAIN, SUN, WIND; six steps of four frames.
STEPS = np.array(
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
CLIP = ClipPosteriors(VOCAB, {'video': STEPS}, np.arange(0, 28, 4.0))


def test_the_reference_lies_where_the_decoder_would_put_it():
    (found,) = CTCBeamSearch()(np.log(STEPS + 1e-9)[None])
    assert found[0].ids == (1, 2)
    assert CLIP.reference_spans(['RAIN', 'SUN']) == [(4, 12), (16, 20)]
    assert CLIP.reference_spans(['DRIZZLE', 'SUN']) == [(4, 12), (16, 20)]
    assert CLIP.reference_spans([]) == []


@pytest.mark.parametrize('glosses', [['HAIL'], ['RAIN', 'SUN'] * 9])
def test_what_the_network_cannot_spell_has_no_place(glosses):
    assert CLIP.reference_spans(glosses) is None


def test_the_average_places_the_reference():
    later = np.roll(STEPS, 1, axis=0)
    both = ClipPosteriors(VOCAB, {'video': STEPS, 'average': later}, CLIP.edges)
    assert both.reference_spans(['RAIN', 'SUN']) == [(8, 16), (20, 24)]


def test_probable_glosses_get_a_curve():
    assert CLIP.prominent('video') == ['RAIN', 'SUN', 'WIND']
    start = ClipPosteriors(VOCAB, {'video': STEPS[:3]}, CLIP.edges[:4])
    assert start.prominent('video') == ['RAIN']
    assert start.prominent('video', ['WIND', 'HAIL']) == ['RAIN', 'WIND']
    names = [f'G{i}' for i in range(20)]
    steps = np.float32([[0, *np.linspace(0.9, 0.4, 20)]])
    many = ClipPosteriors(GlossVocabulary(names), {'video': steps}, CLIP.edges[:2])
    assert many.prominent('video', ['G19']) == [*names[:12], 'G19']


def test_curves_are_the_probabilities():
    np.testing.assert_array_equal(CLIP.curve('video', 'SUN'), STEPS[:, 2])
    np.testing.assert_array_equal(CLIP.curve('video', None), STEPS[:, 0])


def test_peaks_that_were_not_decoded_are_found():
    peaks = CLIP.undecoded_peaks('video', 'WIND', [])
    assert peaks == [(14, pytest.approx(0.3)), (22, pytest.approx(0.4))]
    assert CLIP.undecoded_peaks('video', 'RAIN', [(8, 12)]) == []
    assert CLIP.undecoded_peaks('video', 'RAIN', [(16, 20)]) == [
        (6, pytest.approx(0.9))
    ]


def test_a_clip_without_steps_is_empty():
    none = ClipPosteriors(VOCAB, {'video': STEPS[:0]}, np.array([0.0]))
    assert none.prominent('video', ['SUN']) == ['SUN']
    assert none.reference_spans(['SUN']) is None
    assert none.undecoded_peaks('video', 'SUN', []) == []


def test_steps_of_padding_are_left_out():
    clock = StepClock.of_frames(np.arange(6, 14), frames=16, steps=4)
    log_probs = {'video': torch.from_numpy(STEPS[:4]).log()}
    found = ClipPosteriors.of(VOCAB, log_probs, clock)
    np.testing.assert_allclose(found.probabilities['video'], STEPS[:2], rtol=1e-6)
    np.testing.assert_array_equal(found.edges, [6, 10, 14])
