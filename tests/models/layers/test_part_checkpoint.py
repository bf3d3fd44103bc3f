from __future__ import annotations

import os

import pytest
import torch
from torch import nn

from mmsign import compat
from mmsign.models.layers.part_checkpoint import best_checkpoint, load_submodule
from mmsign.vocab import GlossVocabulary


def test_loads_what_lies_under_the_prefix(tmp_path):
    path = str(tmp_path / 'a.pth')
    state = {'part.weight': torch.ones(1, 2), 'part.bias': torch.zeros(1), 'x': 1}
    compat.write_checkpoint(dict(state_dict=state), path)
    part = nn.Linear(2, 1)
    load_submodule(part, path, 'part.', 'the part')
    assert part.weight.tolist() == [[1, 1]]
    with pytest.raises(ValueError, match=r'does not fit the whole: 2 tensors missing'):
        load_submodule(part, path, '', 'the whole')
    with pytest.raises(ValueError, match=r'1 of another shape .*weight \(1, 2\) inst'):
        load_submodule(nn.Linear(3, 1), path, 'part.', 'the part')
    with pytest.raises(FileNotFoundError):
        load_submodule(part, str(tmp_path / 'b.pth'), '', 'the part')


def test_a_work_folder_means_its_best_checkpoint(tmp_path):
    with pytest.raises(FileNotFoundError, match='train it first'):
        best_checkpoint(str(tmp_path))
    for time, name in enumerate(('epoch_9.pth', 'best_b.pth', 'best_a.pth')):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time, time))
        assert best_checkpoint(str(tmp_path)) == str(tmp_path / name)
    assert best_checkpoint(str(tmp_path / 'epoch_9.pth')).endswith('epoch_9.pth')


def test_another_vocabulary_is_refused(tmp_path):
    path = str(tmp_path / 'a.pth')
    part = nn.Linear(2, 1)
    meta = dict(gloss_vocab=['B', 'A'], text_vocab=dict(video='t1'))
    compat.write_checkpoint(dict(meta=meta, state_dict=part.state_dict()), path)
    good = GlossVocabulary(['B', 'A'])
    load_submodule(part, path, '', 'it', glosses=good, text='t1')
    with pytest.raises(ValueError, match='another vocabulary, of 2 glosses'):
        load_submodule(part, path, '', 'it', glosses=GlossVocabulary(['A', 'B']))
    with pytest.raises(ValueError, match='another text vocabulary'):
        load_submodule(part, path, '', 'it', glosses=good, text='t2')
