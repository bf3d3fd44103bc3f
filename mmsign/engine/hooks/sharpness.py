"""Sharp alignments first, CTC in the end."""

from mmengine.hooks import Hook

from mmsign.errors import ConfigError
from mmsign.registry import HOOKS

from .runs import model_of


@HOOKS.register_module()
class SharpnessHook(Hook):
    """Lower the sharpness of the CTC loss to 1, linearly over the first iterations.

    While it is above 1 each gloss settles on a step; from then on the loss is CTC, by
    which a network says what is likely over several steps too (``CTCLoss``). A loss
    that is plain CTC already stays so.

    Args:
        share: Of all iterations of the training, after which sharpness is 1; above 0,
            1 at most.

    Raises:
        ConfigError: If ``share`` is out of range.
    """

    def __init__(self, share: float = 0.3) -> None:
        if not 0 < share <= 1:
            raise ConfigError(f'share must lie above 0, 1 at most, not {share}')
        self.share = share

    def before_train(self, runner) -> None:
        """Raise ConfigError if the network's loss has no sharpness."""
        self._loss = getattr(model_of(runner), 'gloss_loss', None)
        if not hasattr(self._loss, 'sharpness'):
            raise ConfigError(
                'SharpnessHook lowers the sharpness of the CTC loss; there is none: '
                "set model.loss=dict(type='CTCLoss', sharpness=2.0), or leave it out"
            )
        self._first = self._loss.sharpness

    def before_train_iter(self, runner, batch_idx: int, data_batch=None) -> None:
        """Set the sharpness of this iteration, also of a training that goes on."""
        left = max(0.0, 1 - runner.iter / (self.share * runner.max_iters))
        self._loss.sharpness = 1 + (self._first - 1) * left
