"""Vocabulary and completeness of a recognizer's checkpoints."""

from mmengine.hooks import Hook

from mmsign.errors import CheckpointError, UnknownGlossError, explain
from mmsign.models.weights import required_tensors
from mmsign.registry import HOOKS
from mmsign.vocab import GLOSSES_KEY

from .runs import clips_of, model_of


@HOOKS.register_module()
class RecognizerCheckpointHook(Hook):
    """Keep network, vocabulary and corpus in step.

    - Before training every gloss of the training split must be in the model's
      vocabulary.
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

    def before_train(self, runner) -> None:
        """Raise UnknownGlossError naming clip and gloss before any step."""
        for clip in clips_of(runner.train_dataloader.dataset):
            with explain(UnknownGlossError, 'training split', UnknownGlossError):
                model_of(runner).vocab.encode(clip['glosses'], clip['clip_id'])

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Store the vocabulary."""
        checkpoint['meta'][GLOSSES_KEY] = list(model_of(runner).vocab.glosses)

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Raise CheckpointError for another vocabulary or missing tensors."""
        if self.allow_partial:
            return
        text = (
            'the checkpoint is of another network (to fine-tune from it all the same, '
            'set allow_partial=True in the RecognizerCheckpointHook)'
        )
        with explain(CheckpointError, text, CheckpointError):
            required_tensors(model_of(runner), checkpoint)
