"""Eq. 6 through the networks, against a search without any cache."""

from __future__ import annotations

import pytest
import torch
from tiny_translators import build_translator, samples

from mmsign.models.layers.lengths import ClipLengths
from mmsign.models.translators.text_ensemble import translate_together


def mean_log_probs(sources, prefix, index):
    """Log of the mean probability of each next token of one clip, no cache."""
    total = 0
    for head, (inputs, mask) in sources:
        logits = head.mbart.network(
            inputs_embeds=inputs[index : index + 1],
            attention_mask=mask[index : index + 1],
            decoder_input_ids=torch.tensor([prefix]),
        ).logits[0, -1]
        total = total + logits.softmax(-1)
    return (total / len(sources)).log()


@torch.no_grad()
def plain_search(sources, index, width, max_length):
    mbart = sources[0][0].mbart
    running, finished = [((mbart.start_id,), 0.0)], []
    for length in range(1, max_length):
        candidates = []
        for prefix, score in running:
            log_probs = mean_log_probs(sources, prefix, index)
            if length == max_length - 1:
                candidates.append((score, (*prefix, mbart.text.eos_id)))
                continue
            for value, token in zip(*log_probs.topk(2 * width)):
                candidates.append((score + float(value), (*prefix, int(token))))
        candidates.sort(key=lambda item: -item[0])
        running = []
        for rank, (score, ids) in enumerate(candidates[: 2 * width]):
            if ids[-1] != mbart.text.eos_id:
                running.append((ids, score))
            elif rank < width:
                finished.append((score / length, ids))
        running = running[:width]
        finished = sorted(finished, reverse=True)[:width]
        full = len(finished) == width and running
        if full and running[0][1] / length <= finished[-1][0]:
            break
    score, ids = finished[0]
    return mbart.sentence(ids), score


def test_agrees_with_a_search_without_cache(pooled):
    translator = build_translator('video', 'keypoint', 'joint').eval()
    # Larger output weights make the beams compete and change places.
    torch.manual_seed(1)
    for head in translator.translation.values():
        shared = head.mbart.network.model.shared.weight
        torch.nn.init.normal_(shared, std=0.5)
    lengths = ClipLengths([sample.length for sample in samples()], 16)
    streams = {k.removesuffix('_features'): x for k, x in pooled.items()}
    with torch.no_grad():
        outputs = translator.recognizer.classify(streams, lengths)
        steps = torch.tensor([4, 2])
        sources = [(h, outputs[n][1]) for n, h in translator.translation.items()]
        encoded = [(h, h.encoder_inputs(x, steps)) for h, x in sources]
    found = translate_together(sources, steps)
    for index in range(2):
        text, score = plain_search(encoded, index, width=2, max_length=12)
        assert found[index].text == text
        assert found[index].score == pytest.approx(score, abs=1e-4)
        assert found[index].n_best[0] == (found[index].text, found[index].score)


def test_one_head_is_its_own_ensemble(translator, pooled):
    head = translator.translation['video']
    features, steps = torch.randn(3, 5, 16), torch.tensor([5, 2, 3])
    alone = head.predict(features, steps)
    together = translate_together([(head, features)] * 2, steps)
    assert [p.text for p in together] == [p.text for p in alone]
