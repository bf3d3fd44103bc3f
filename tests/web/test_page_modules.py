"""The page's modules compute what Python's do."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny_signing import REST, signing, signing_statistics

from mmsign.datasets.transforms import ClipCenterCrop, SignerCrop
from mmsign.decoding import CTCBeamSearch
from mmsign.interop.mediapipe_points import holistic_points, keypoints_79
from mmsign.interop.subtitles import write_subtitles
from mmsign.structures import TimedGloss
from mmsign.web.description import describe

pytestmark = pytest.mark.slow


def log_probs(seed: int, steps: int, classes: int) -> torch.Tensor:
    """(steps, classes), some of them peaked, some with equal values and zeros."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(steps, classes, generator=generator) * (seed % 5)
    if seed % 3 == 0:
        logits = logits.round()
    found = logits.log_softmax(-1)
    if seed % 4 == 0:
        found[:, seed % classes] = -torch.inf
    return found


def as_json(rows: torch.Tensor) -> list:
    """Without infinities, which JSON has not."""
    return [[None if x == -np.inf else x for x in row] for row in rows.tolist()]


@pytest.fixture(scope='module')
def description(heatmap_network):
    return describe(heatmap_network)


def test_the_search_is_the_same(run_modules):
    cases, expected, scores = [], [], []
    for seed in range(240):
        rows = log_probs(seed, 1 + seed % 13, 2 + seed % 9)
        width, merge = (1, 2, 5, 8)[seed % 4], seed % 7 == 0
        search = CTCBeamSearch(width, merge_adjacent=merge)
        best = search(rows[None])[0][0]
        expected.append(
            dict(ids=list(best.ids), spans=[list(span) for span in best.spans])
        )
        settings = dict(width=width, blank=0, mergeAdjacent=merge)
        cases.append(dict(rows=as_json(rows), **settings))
        search = CTCBeamSearch(max(width, 2), max(width, 2))
        scores.append([(list(h.ids), h.score) for h in search(rows[None])[0]])
    beams = [case | dict(width=max(case['width'], 2)) for case in cases]
    found = run_modules(decode=cases, beam=beams)
    assert found['decode'] == expected
    for beam, hypotheses in zip(found['beam'], scores, strict=True):
        assert [h['ids'] for h in beam] == [ids for ids, _ in hypotheses]
        assert [h['score'] for h in beam] == pytest.approx([s for _, s in hypotheses])


def test_landmarks_become_the_same_keypoints(run_modules, description):
    rng = np.random.default_rng(0)
    counts = dict(pose=33, face=468, left_hand=21, right_hand=21)
    names = dict(zip(counts, ('pose', 'face', 'leftHand', 'rightHand')))
    cases, expected = [], []
    for missing in ('', *counts):
        frame = {
            part: [
                dict(x=x, y=y, z=0.1, visibility=v)
                for x, y, v in rng.uniform(-0.2, 1.3, (count, 3))
            ]
            for part, count in counts.items()
            if part != missing
        }
        frame.setdefault('face', [dict(x=1e30, y=0.5)])  # far outside
        results = {f'{names[part]}Landmarks': points for part, points in frame.items()}
        cases.append(dict(results=results, size=[640, 480], network=description))
        python = {f'{part}_landmarks': points for part, points in frame.items()}
        expected.append(
            keypoints_79([holistic_points(python)], frame_size=(640, 480))[0]
        )
    found = run_modules(keypoints=cases)['keypoints']
    np.testing.assert_allclose(found, np.reshape(expected, (5, -1)), rtol=1e-6)
    assert any(point == -640 for point in found[1])


def test_hands_rest_where_python_sees_them_rest(run_modules):
    plan = 'rrmmowr1wnmwwrrnnmrow1mm1w'
    points, statistics = signing(plan), signing_statistics(40)
    network = dict(
        statistics=statistics.to_dict(),
        person=dict(score=0.3, upper_body=list(range(68, 79))),
        shoulders=[73, 74],
        wrists=[77, 78],
    )
    frames = points.reshape(len(points), -1).tolist()
    found = run_modules(resting=[dict(frames=frames, network=network)])['resting'][0]
    assert found == REST.resting(points).tolist()
    assert set(found) == {True, False}


def test_the_box_is_the_same(run_modules):
    rng = np.random.default_rng(1)
    cases, expected = [], []
    for seed, size in enumerate([(64, 48), (641, 479), (84, 104)]):
        points = signing('rm' * 4) + rng.normal(0, 2, (8, 79, 3))
        points[..., 2] = rng.choice([0.1, 0.9], (8, 79))
        if seed == 2:
            points[..., 2] = 0
        for crop in (SignerCrop(4.0, 0.25), ClipCenterCrop(0.84)):
            results = dict(clip_id='a', frame_size=size, keypoints=points)
            expected.append(crop.transform(results)['crop_box'])
            network = dict(
                crop=dict(type=type(crop).__name__) | vars(crop),
                shoulders=[73, 74],
                confident=0.3,
            )
            frames = points.reshape(8, -1).tolist()
            cases.append(dict(frames=frames, size=size, network=network))
    found = run_modules(box=cases)['box']
    assert found == [list(box) for box in expected]


def test_captions_are_those_that_python_writes(run_modules, tmp_path):
    glosses = [TimedGloss('REGEN & <WIND>', 0.48, 0.16), TimedGloss('ÜBER', 3725.5, 2)]
    write_subtitles(tmp_path / 'a.vtt', glosses)
    given = [[gloss.to_dict() for gloss in glosses]]
    written = (tmp_path / 'a.vtt').read_text(encoding='utf-8')
    assert run_modules(captions=given)['captions'] == [written]
