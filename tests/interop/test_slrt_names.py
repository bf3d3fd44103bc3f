import json
from pathlib import Path

import pytest

from mmsign.interop.slrt_names import slrt_to_ours

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
