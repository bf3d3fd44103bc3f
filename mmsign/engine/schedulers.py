"""How learning rates begin."""

import math

from mmengine.optim import LinearLR

from mmsign.errors import ConfigError
from mmsign.registry import PARAM_SCHEDULERS


@PARAM_SCHEDULERS.register_module()
class WarmUpLR(LinearLR):
    """Raise the learning rate linearly over the first updates of a training.

    MMEngine's ``LinearLR`` counts iterations: with gradients accumulated over n of
    them it is over after 1/n of its updates, and a training that is shorter than it
    never sees the learning rate of its config. This one counts updates, and takes
    ``max_share`` of the training at most. In a config it needs ``by_epoch=False``:

        dict(type='WarmUpLR', updates=60, start_factor=0.05, by_epoch=False)

    Args:
        optimizer: Wrapper of the optimizer; says over how many iterations gradients
            are accumulated.
        updates: Of the network, until the learning rate is the config's.
        max_share: Share of all iterations that it may take, from 0 to 1.
        start_factor: Of the learning rate at the first update.
        end: Iterations of the training; the runner says.
        by_epoch: Must be False.
        **kwargs: As in ``LinearLR``.

    Raises:
        ConfigError: A number is out of range, or epochs are to be counted.
    """

    def __init__(
        self,
        optimizer,
        updates: int,
        max_share: float = 0.2,
        start_factor: float = 0.05,
        end: float = math.inf,
        by_epoch: bool = True,
        **kwargs,
    ) -> None:
        if by_epoch:
            raise ConfigError('WarmUpLR counts updates: write by_epoch=False beside it')
        if updates < 1 or not 0 <= max_share <= 1:
            raise ConfigError(
                f'WarmUpLR takes updates of 1 or more and a max_share from 0 to 1, '
                f'not {updates} and {max_share}'
            )
        steps = getattr(optimizer, '_accumulative_counts', 1)
        # One step below 2 would never be left again.
        length = max(2, int(min(updates * steps, max_share * end)))
        super().__init__(
            optimizer, start_factor=start_factor, end=length, by_epoch=False, **kwargs
        )
