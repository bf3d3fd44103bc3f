"""Train with the streams as CUDA graphs."""

from mmengine.hooks import Hook

from mmsign.models.cuda_graphs import train_with_cuda_graphs
from mmsign.registry import HOOKS

from .runs import model_of


@HOOKS.register_module()
class CudaGraphsHook(Hook):
    """Replay the streams of a recognizer in training: see ``train_with_cuda_graphs``.

    It needs a GPU, batches of few lengths (``pad_multiple`` of the data preprocessor)
    and memory for the activations of the longest beside what else the step needs.

    Args:
        most: Lengths that are captured; others are computed as they come.
    """

    def __init__(self, most: int = 16) -> None:
        self.most = most

    def before_train(self, runner) -> None:
        """Raise ConfigError if the network cannot be captured."""
        # Not before: copies of the network, such as running means, have none.
        train_with_cuda_graphs(model_of(runner), self.most)
