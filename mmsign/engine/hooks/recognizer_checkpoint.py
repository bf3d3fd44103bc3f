"""Vocabulary and completeness of a recognizer's checkpoints."""

import os

from mmengine.hooks import Hook

from mmsign.datasets import KeypointFile
from mmsign.errors import CheckpointError, UnknownGlossError, explain
from mmsign.keypoints import ESTIMATORS_KEY, foreign
from mmsign.models.weights import required_tensors
from mmsign.registry import HOOKS
from mmsign.vocab import GLOSSES_KEY

from .runs import clips_of, model_of


@HOOKS.register_module()
class RecognizerCheckpointHook(Hook):
    """Keep network, vocabulary and corpus in step.

    - Before training every gloss of the training split must be in the model's
      vocabulary.
    - A checkpoint stores which estimators made the keypoints of training, as far as
      their files say it; a test on those of another one is told so.
    - A checkpoint stores the vocabulary; loading one whose vocabulary differs
      from the model's is refused: equal sizes in another order would give
      wrong words without any error.
    - A checkpoint that lacks tensors that inference needs, or holds them in
      other shapes, is refused. The pyramid is not needed.

    Args:
        allow_partial: Accept incomplete or differently shaped checkpoints, for
            fine-tuning with ``load_from`` on another vocabulary.
    """

    def __init__(self, allow_partial: bool = False) -> None:
        self.allow_partial = allow_partial
        self._estimators: list[str] = []
        self._of_checkpoint: list[str] = []

    def before_train(self, runner) -> None:
        """Raise UnknownGlossError naming clip and gloss before any step."""
        dataset = runner.train_dataloader.dataset
        for clip in clips_of(dataset):
            with explain(UnknownGlossError, 'training split', UnknownGlossError):
                model_of(runner).vocab.encode(clip['glosses'], clip['clip_id'])
        self._estimators = _estimators(dataset)

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Store vocabulary and estimators."""
        checkpoint['meta'][GLOSSES_KEY] = list(model_of(runner).vocab.glosses)
        if self._estimators:
            checkpoint['meta'][ESTIMATORS_KEY] = self._estimators

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Raise CheckpointError for another vocabulary or missing tensors."""
        self._of_checkpoint = (checkpoint.get('meta') or {}).get(ESTIMATORS_KEY) or []
        if self.allow_partial:
            return
        text = (
            'the checkpoint is of another network (to fine-tune from it all the same, '
            'set allow_partial=True in the RecognizerCheckpointHook)'
        )
        with explain(CheckpointError, text, CheckpointError):
            required_tensors(model_of(runner), checkpoint)

    def before_test(self, runner) -> None:
        """Warn of keypoints that the network was not trained on."""
        for name in _estimators(runner.test_dataloader.dataset):
            if notice := foreign(name, self._of_checkpoint):
                runner.logger.warning(notice)


def _estimators(dataset) -> list[str]:
    """What made the keypoints of a dataset, as far as their files are there and say."""
    files = {clip.get('keypoint_file') for clip in clips_of(dataset)}
    there = [KeypointFile.open(path) for path in files if path and os.path.isfile(path)]
    return sorted({file.estimator for file in there} - {None})
