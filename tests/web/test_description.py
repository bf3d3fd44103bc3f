from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mmsign.apis.pipeline import Pipeline
from mmsign.errors import ConfigError
from mmsign.interop.mediapipe_points import MEDIAPIPE_TABLE, PARTS
from mmsign.keypoints import SELECTED_79
from mmsign.registry import TRANSFORMS
from mmsign.web.description import describe


def test_it_is_json_and_has_every_landmark(point_network):
    found = json.loads(json.dumps(describe(point_network)))
    names = [f'{PARTS[part]}_{number}' for part, number in found['landmarks']]
    assert [MEDIAPIPE_TABLE[name] for name in names] == list(SELECTED_79)
    assert found['crop'] == dict(type='SignerCrop', size=4.0, below=0.25)
    assert (found['rate'], found['held']) == (12.0, 8)
    assert found['glosses'] == ['RAIN', 'SUN', 'WIND', 'SNOW']


def test_other_steps_are_refused(heatmap_network):
    steps = [
        TRANSFORMS.build(dict(type=name) | extra)
        for name, extra in (
            ('LoadClip', dict(frames=False)),
            ('SampleClip', dict(test=True)),
            ('ClipRandomCrop', {}),
            ('PackClip', {}),
        )
    ]
    changed = replace(heatmap_network, pipeline=Pipeline(steps))
    with pytest.raises(ConfigError, match='not ClipRandomCrop'):
        describe(changed)
