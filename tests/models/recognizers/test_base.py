import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from properties import examples
from tiny_models import network_inputs, sample, single_stream

from mmsign.errors import UnknownGlossError
from mmsign.models.recognizers.base import average_log_probs, output_steps


def spoken(steps: list[int], classes: int = 5) -> torch.Tensor:
    """Logits that say one class per step almost surely."""
    logits = torch.zeros(1, len(steps), classes)
    logits[0, range(len(steps)), steps] = 12.0
    return logits


@examples(150)
@given(st.data())
def test_any_length_has_its_share_of_the_steps(data):
    frames = data.draw(st.integers(1, 10**6))
    steps = data.draw(st.integers(1, 10**6))
    lengths = sorted(data.draw(st.lists(st.integers(0, frames), max_size=5)))
    found = output_steps([*lengths, frames], frames, steps)
    assert found[-1] == steps  # the whole clip is the whole output
    assert found == sorted(found) and found[0] >= 0
    for length, valid in zip(lengths, found):
        # The greatest whole number of steps within the clip's own share.
        assert valid * frames <= length * steps < (valid + 1) * frames


def test_output_steps():
    assert output_steps([16, 12, 4], 16, 4) == [4, 3, 1]
    assert output_steps([16, 10], 16, 8) == [8, 5]


def test_average_log_probs():
    logits = dict(a=torch.randn(2, 3, 4), b=torch.randn(2, 3, 4))
    mean = (logits['a'].softmax(-1) + logits['b'].softmax(-1)) / 2
    torch.testing.assert_close(average_log_probs(logits), mean.log())


def test_prediction_in_glosses_and_source_frames():
    net = single_stream('video').eval()
    clip = sample(20)
    # Every second frame of the source, from frame 10 on.
    clip.set_metainfo(dict(frame_indices=10 + 2 * np.arange(20)))
    logits = spoken([0, 1, 1, 0, 3])
    (predicted,) = net.predict(dict(video=logits), [clip], frames=20)
    found = predicted.predictions['video']
    assert found.glosses == ('RAIN', 'WIND')
    # Steps 1–2 are sampled frames 4–11, step 4 frames 16–19.
    assert found.spans == ((18, 33), (42, 49))
    assert math.isclose(found.score, 0.0, abs_tol=0.01)
    assert predicted.predictions['average'].glosses == ('RAIN', 'WIND')


def test_steps_behind_the_valid_length_are_ignored():
    net = single_stream('video').eval()
    logits = spoken([1, 0, 3, 4])
    (predicted,) = net.predict(dict(video=logits), [sample(8)], frames=16)
    assert predicted.predictions['video'].glosses == ('RAIN',)
    assert predicted.glosses == ['RAIN', 'SUN']


def test_unspellable_targets_are_counted_not_hidden():
    net = single_stream('video')
    long = sample(8, ['RAIN', 'SUN', 'RAIN'], clip_id='long')
    repeated = sample(8, ['SUN', 'SUN'], clip_id='repeated')
    losses = net(network_inputs(), [long, repeated], mode='loss')
    assert float(losses['loss_ctc_video']) == 0
    assert net.infeasible_clips == {'long', 'repeated'}


def test_gloss_outside_the_vocabulary_names_clip_and_gloss():
    net = single_stream('video')
    odd = sample(16, ['RAIN', 'HAIL'], clip_id='clip7')
    with pytest.raises(UnknownGlossError, match=r'(?s)clip7.*HAIL|HAIL.*clip7'):
        net(network_inputs(), [odd, odd], mode='loss')


def test_modes_that_do_not_exist():
    net = single_stream('video')
    with pytest.raises(ValueError, match="'loss', 'predict' or 'tensor'"):
        net(network_inputs(), [sample(16)] * 2, mode='train')
    with pytest.raises(ValueError, match='needs data_samples'):
        net(network_inputs(), mode='loss')
