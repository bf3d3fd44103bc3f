"""One stream alone: stage 1 of the recipe, and the first rows of the ablation."""

from __future__ import annotations

from mmsign.errors import ConfigError
from mmsign.registry import MODELS

from .base import SignRecognizer


@MODELS.register_module()
class SingleStreamRecognizer(SignRecognizer):
    """Recognize glosses from video alone or from keypoints alone.

    Its checkpoint holds the stream under the same names as
    ``TwoStreamRecognizer``, whose streams load it with ``checkpoint=``.

    Args:
        **kwargs: See ``SignRecognizer``; exactly one of ``video`` and
            ``keypoint``.
    """

    def __init__(self, **kwargs) -> None:
        given = [key for key in ('video', 'keypoint') if kwargs.get(key) is not None]
        if len(given) != 1:
            raise ConfigError(
                'SingleStreamRecognizer takes exactly one of video and keypoint, '
                f'got {given or "none"}'
            )
        super().__init__(**kwargs)
        self._finish()
