"""Vocabulary and completeness of a recognizer's checkpoints."""

from __future__ import annotations

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper

from mmsign.errors import ConfigError, UnknownGlossError
from mmsign.registry import HOOKS

_META_KEY = 'gloss_vocab'


def _recognizer(runner):
    return runner.model.module if is_model_wrapper(runner.model) else runner.model


def check_fits(model, checkpoint: dict) -> dict:
    """The tensors of a checkpoint, if they are those of a recognizer.

    Args:
        model: A recognizer.
        checkpoint: As loaded; without a vocabulary in its meta information that
            check is left out.

    Returns:
        Its state dict, without a wrapper's prefix.

    Raises:
        ValueError: For another vocabulary, or missing or differently shaped
            tensors that inference needs.
    """
    theirs = (checkpoint.get('meta') or {}).get(_META_KEY)
    ours = list(model.vocab.glosses)
    if theirs is not None and list(theirs) != ours:
        differing = next(
            (i for i, (a, b) in enumerate(zip(theirs, ours)) if a != b),
            min(len(theirs), len(ours)),
        )
        raise ConfigError(
            f'the checkpoint was trained with a vocabulary of {len(theirs)} '
            f'glosses, the model has {len(ours)}; they differ first at position '
            f'{differing}. Use the config that was written beside the '
            'checkpoint, or the corpus it was trained on'
        )
    state = checkpoint.get('state_dict', checkpoint)
    state = {key.removeprefix('module.'): value for key, value in state.items()}
    needed = model.required_state()
    missing = [key for key in needed if key not in state]
    wrong = [
        f'{key} {tuple(state[key].shape)} instead of {tuple(value.shape)}'
        for key, value in needed.items()
        if key in state and state[key].shape != value.shape
    ]
    if missing or wrong:
        raise ConfigError(
            f'the checkpoint does not fit the network: {len(missing)} tensors '
            f'missing (first: {missing[:3]}), {len(wrong)} of another shape '
            f'(first: {wrong[:3]})'
        )
    return state


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
        vocab = _recognizer(runner).vocab
        dataset = runner.train_dataloader.dataset
        for index in range(len(dataset)):
            info = dataset.get_data_info(index)
            try:
                vocab.encode(info['glosses'], info['clip_id'])
            except UnknownGlossError as error:
                raise UnknownGlossError(f'training split: {error}') from None

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Store the vocabulary."""
        checkpoint['meta'][_META_KEY] = list(_recognizer(runner).vocab.glosses)

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Raise ValueError for another vocabulary or missing tensors."""
        if self.allow_partial:
            return
        try:
            check_fits(_recognizer(runner), checkpoint)
        except ValueError as error:
            raise ConfigError(
                f'{error}. To fine-tune from it all the same, set '
                'allow_partial=True in the RecognizerCheckpointHook'
            ) from None
