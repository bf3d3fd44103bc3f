"""An alignment to begin with, CTC in the end."""

from mmengine.hooks import Hook

from mmsign.errors import ConfigError
from mmsign.registry import HOOKS

from .runs import model_of


@HOOKS.register_module()
class FlatStartHook(Hook):
    """Mix a flat alignment into the CTC loss, less and less of it.

    The alignment (``CTCLoss.flat``) says each gloss at the beginning of an equal part
    of the clip, where CTC by itself comes to say a single sign. From that it goes on to
    when a gloss is said; begun without, it may leave one spread over the clip. So
    hidden Markov models of speech begin, from utterances cut into equal parts ("flat
    start": Young et al., The HTK Book).

    Args:
        weight: Of the alignment at first; above 0, 1 at most. It falls linearly.
        share: Of all iterations of the training, after which it is 0; above 0, 1 at
            most.

    Raises:
        ConfigError: If one of both is out of range.
    """

    def __init__(self, weight: float = 1.0, share: float = 0.1) -> None:
        for name, value in (('weight', weight), ('share', share)):
            if not 0 < value <= 1:
                raise ConfigError(f'{name} must lie above 0, 1 at most, not {value}')
        self.weight, self.share = weight, share

    def before_train(self, runner) -> None:
        """Raise ConfigError if the network's loss has no flat alignment."""
        self._loss = getattr(model_of(runner), 'gloss_loss', None)
        if not hasattr(self._loss, 'flat'):
            raise ConfigError(
                'FlatStartHook mixes a flat alignment into CTCLoss, and there is '
                "none: set model.loss=dict(type='CTCLoss'), or leave the hook out"
            )

    def before_train_iter(self, runner, batch_idx: int, data_batch=None) -> None:
        """Set the weight of this iteration, also of a training that goes on."""
        left = 1 - runner.iter / (self.share * runner.max_iters)
        self._loss.flat = self.weight * max(0.0, left)
