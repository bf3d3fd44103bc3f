import json
from pathlib import Path

import pytest

from mmsign.interop.slrt_names import ours_to_slrt, slrt_to_ours

SHAPES = Path(__file__).parents[1] / 'data' / 'golden'


@pytest.mark.parametrize('kind', ['two', 'rgb', 'kp'])
def test_every_published_name_has_one_of_ours(kind):
    names = json.loads((SHAPES / f'slrt_state_shapes_{kind}.json').read_text())
    ours = [slrt_to_ours(name) for name in names if not name.endswith('pe.pe')]
    assert None not in ours
    assert len(set(ours)) == len(ours)


def test_unknown_names_are_not_guessed():
    for name in ('translation_network.model.x', 'visual_head.fc9.weight', 'nonsense'):
        assert slrt_to_ours(name) is None


@pytest.mark.parametrize('kind', ['two', 'rgb', 'kp'])
def test_the_way_back_is_the_inverse(kind):
    names = json.loads((SHAPES / f'slrt_state_shapes_{kind}.json').read_text())
    for name in names:
        if not name.endswith('pe.pe'):
            ours = slrt_to_ours(name)
            assert ours_to_slrt(ours, two_stream=kind == 'two') == name


def test_foreign_parts_have_no_name_of_theirs():
    for name in (
        'video.backbone.layers.0.weight',
        'video.pyramid.upsample.0.norm.weight',
        'video.head.fc9.weight',
        'video.backbone.blocks.5.0.conv.weight',
        'joint_head.weight',
        'translation.mapper.0.weight',
    ):
        assert ours_to_slrt(name, two_stream=True) is None
