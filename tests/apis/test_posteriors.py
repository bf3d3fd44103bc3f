from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny_network import keypoints_of

from mmsign.apis import SignInferencer
from mmsign.apis.posteriors import log_probs_of

OUTPUTS = ['video', 'keypoint', 'joint', 'average']


def prepared(inferencer: SignInferencer, count: int, seed: int = 0):
    generator = np.random.default_rng(seed)
    frames = generator.integers(0, 256, (count, 48, 64, 3), np.uint8)
    return inferencer.preprocess(frames, keypoints_of(count, seed=seed)).prepared


def test_they_are_log_probabilities_of_which_one_is_the_average(inferencer):
    found, frames = log_probs_of(inferencer.network, [prepared(inferencer, 20)])
    assert list(found) == OUTPUTS and frames == 20
    for log_probs in found.values():
        assert log_probs.shape == (1, 5, 5) and log_probs.dtype == torch.float32
        assert not log_probs.requires_grad
        torch.testing.assert_close(log_probs.exp().sum(-1), torch.ones(1, 5))
    mean = sum(found[name].exp() for name in OUTPUTS[:3]) / 3
    torch.testing.assert_close(found['average'].exp(), mean)


def test_they_are_what_the_network_says(inferencer):
    clip, network = prepared(inferencer, 16), inferencer.network
    found, _ = log_probs_of(network, [clip])
    data = dict(
        inputs={name: [x] for name, x in clip.inputs.items()},
        data_samples=[clip.sample],
    )
    with torch.inference_mode():
        ready = network.model.data_preprocessor(data)
        logits = network.model(ready['inputs'], ready['data_samples'])
    for name in OUTPUTS[:3]:
        torch.testing.assert_close(found[name], logits[name].log_softmax(-1))
    torch.testing.assert_close(found['average'].exp(), logits['average'])


def test_a_batch_is_as_long_as_its_longest_clip(inferencer):
    clips = [prepared(inferencer, n, seed) for seed, n in enumerate((24, 8, 18))]
    found, frames = log_probs_of(inferencer.network, clips)
    assert frames == 24 and found['average'].shape == (3, 6, 5)
    alone, _ = log_probs_of(inferencer.network, clips[:1])
    for name in OUTPUTS:
        torch.testing.assert_close(found[name][:1], alone[name], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('translate', [False, True])
def test_sentences_are_written_if_wanted(translator_files, inferencer, translate):
    translator = SignInferencer(*translator_files, device='cpu')
    clips = [prepared(translator, 16), prepared(translator, 16, seed=1)]
    found, _ = log_probs_of(translator.network, clips, translate=translate)
    outputs = {'video', 'joint', 'ensemble'} if translate else set()
    for clip in clips:
        assert set(clip.translations) == outputs
        assert all(isinstance(text, str) for text in clip.translations.values())
    # The glosses are those of the recognizer inside.
    expected, _ = log_probs_of(inferencer.network, clips)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
