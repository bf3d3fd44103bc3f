from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn as nn

from mmsign.datasets import write_keypoints
from mmsign.engine.hooks.recognizer_checkpoint import RecognizerCheckpointHook
from mmsign.errors import CheckpointError, UnknownGlossError
from mmsign.keypoints import ESTIMATORS_KEY
from mmsign.vocab import GlossVocabulary


class Model(nn.Module):
    def __init__(self, glosses):
        super().__init__()
        self.vocab = GlossVocabulary(glosses)
        self.layer = nn.Linear(2, len(self.vocab))

    def required_state(self):
        return self.state_dict()


class Clips(list):
    def get_data_info(self, index):
        return self[index]


def runner(glosses=('RAIN', 'SUN'), clips=()):
    return SimpleNamespace(
        model=Model(glosses), train_dataloader=SimpleNamespace(dataset=Clips(clips))
    )


def checkpoint(of) -> dict:
    saved = dict(meta={}, state_dict=of.model.state_dict())
    RecognizerCheckpointHook().before_save_checkpoint(of, saved)
    return saved


def test_its_own_checkpoint_passes():
    run = runner()
    saved = checkpoint(run)
    assert saved['meta']['gloss_vocab'] == ['RAIN', 'SUN']
    RecognizerCheckpointHook().after_load_checkpoint(run, saved)


def test_the_same_words_in_another_order_are_refused():
    saved = checkpoint(runner(('RAIN', 'SUN')))
    with pytest.raises(CheckpointError, match='position 0'):
        RecognizerCheckpointHook().after_load_checkpoint(runner(('SUN', 'RAIN')), saved)


def test_missing_and_misshapen_tensors_are_refused_unless_asked():
    run, saved = runner(), checkpoint(runner())
    saved['state_dict'] = {'layer.weight': torch.zeros(7, 2)}
    message = r"1 tensors missing \(first: \['layer.bias'\]\), 1 of another shape"
    with pytest.raises(CheckpointError, match=message):
        RecognizerCheckpointHook().after_load_checkpoint(run, saved)
    RecognizerCheckpointHook(allow_partial=True).after_load_checkpoint(run, saved)


def test_names_of_a_wrapped_model_are_understood():
    run, saved = runner(), checkpoint(runner())
    saved['state_dict'] = {f'module.{k}': v for k, v in saved['state_dict'].items()}
    RecognizerCheckpointHook().after_load_checkpoint(run, saved)


def test_a_training_clip_with_an_unknown_gloss_is_named_before_training():
    clips = [
        dict(clip_id='fine', glosses=['RAIN']),
        dict(clip_id='odd', glosses=['RAIN', 'HAIL']),
    ]
    with pytest.raises(UnknownGlossError, match=r'odd.*HAIL|HAIL.*odd'):
        RecognizerCheckpointHook().before_train(runner(clips=clips))
    RecognizerCheckpointHook().before_train(runner(clips=clips[:1]))


def test_the_estimators_of_the_keypoints_travel_and_others_are_told(tmp_path):
    points = dict(a=np.zeros((2, 133, 3)))
    clips = []
    for name in ('hrnet', 'rtmw', None):
        path = tmp_path / f'{name}.safetensors'
        write_keypoints(path, points, estimator=name)
        clips.append(dict(clip_id='a', glosses=['SUN'], keypoint_file=str(path)))
    absent = str(tmp_path / 'absent.safetensors')  # of a network of video alone
    clips.append(dict(clips[0], keypoint_file=absent))
    hook, run = RecognizerCheckpointHook(), runner(clips=clips[::2] + clips[3:])
    hook.before_train(run)
    saved = dict(meta={}, state_dict=run.model.state_dict())
    hook.before_save_checkpoint(run, saved)
    assert saved['meta'][ESTIMATORS_KEY] == ['hrnet']

    said = []
    run.logger = SimpleNamespace(warning=said.append)
    other = RecognizerCheckpointHook()
    other.after_load_checkpoint(run, saved)
    for clip in clips:
        run.test_dataloader = SimpleNamespace(dataset=Clips([clip]))
        other.before_test(run)
    (notice,) = said
    assert 'rtmw' in notice and 'trained on those of hrnet' in notice
