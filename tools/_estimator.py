"""What tools share: the arguments that name an estimator."""

from __future__ import annotations

import argparse

from mmsign.apis.clip_keypoints import Estimator


def add_estimator_arguments(parser: argparse.ArgumentParser) -> None:
    """``--estimator`` and ``--estimator-checkpoint``."""
    parser.add_argument(
        '--estimator',
        metavar='NAME',
        help='finds keypoints: rtmw or rtmpose (pip install "mmsign[keypoints]"), an '
        'ONNX file like them, mediapipe, or with MMPose hrnet, fast or a config '
        '(docs/keypoints.md)',
    )
    parser.add_argument(
        '--estimator-checkpoint',
        metavar='FILE',
        help="default: what is published for it, or MediaPipe's own",
    )


def open_estimator(args: argparse.Namespace, live: bool = False) -> Estimator | None:
    """The estimator that the arguments name, on ``args.device``; None for none.

    Args:
        args: Of a parser with ``add_estimator_arguments`` and ``--device``.
        live: Whether it will be given the frames of one video, call after call.

    Raises:
        PoseError, MissingPackageError: If its package is not installed, or files do
            not fit.
        FileNotFoundError: If the checkpoint does not exist.
    """
    if args.estimator is None:
        return None
    # Imported late: estimators are extras.
    from mmsign.pose import PoseRecipe

    recipe = PoseRecipe(args.estimator, args.estimator_checkpoint)
    return recipe.build(args.device, live)
