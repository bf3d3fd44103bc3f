"""Refuse to mirror keypoints of which the network sees one side alone."""

from mmengine.hooks import Hook

from mmsign.errors import ConfigError
from mmsign.keypoints import MIRRORED, NAMES
from mmsign.registry import HOOKS

from .runs import listed, model_of, settings_of


@HOOKS.register_module()
class MirroredPointsHook(Hook):
    """Compare the keypoints that are seen with what the pipeline mirrors.

    In a mirrored clip left and right points are exchanged. A network that sees one of
    two alone would be shown the other under its name, the left hand for the right.
    """

    priority = 'VERY_HIGH'

    def before_train(self, runner) -> None:
        """Raise ConfigError if a point's mirror image is not among those seen."""
        model = model_of(runner)
        model = getattr(model, 'recognizer', model)
        dataset = runner.train_dataloader.dataset
        if not hasattr(model, 'keypoint') or not any(settings_of(dataset, 'mirror')):
            return
        seen = model.data_preprocessor.channels
        alone = [NAMES[point] for point in seen if MIRRORED[point] not in seen]
        if alone:
            raise ConfigError(
                'the pipeline mirrors clips, but the network does not see the mirror '
                f'images of {len(alone)} of its keypoints ({listed(alone, 3)}): name '
                'both sides in data_preprocessor.keypoints, or leave out ClipFlip '
                '(of ClipWarp, set mirror=0)'
            )
