"""What the tools for inference share: the arguments that name an estimator."""

from __future__ import annotations

import argparse

from mmsign.apis.clip_keypoints import Estimator


def add_estimator_arguments(parser: argparse.ArgumentParser) -> None:
    """``--estimator`` and ``--estimator-checkpoint``."""
    parser.add_argument(
        '--estimator',
        metavar='NAME',
        help='finds keypoints: mediapipe, or with MMPose hrnet, fast or a config, as '
        'mmsign.pose.PoseEstimator takes it (docs/keypoints.md)',
    )
    parser.add_argument(
        '--estimator-checkpoint',
        metavar='FILE',
        help="default: what MMPose lists, or MediaPipe's own",
    )


def open_estimator(args: argparse.Namespace, live: bool = False) -> Estimator | None:
    """The estimator that the arguments name, on ``args.device``; None for none.

    Args:
        args: Of a parser with ``add_estimator_arguments`` and ``--device``.
        live: Whether it will be given the frames of one video, call after call.

    Raises:
        PoseError: If MMPose or MediaPipe is not installed, or config and checkpoint
            do not fit.
        FileNotFoundError: If the checkpoint does not exist.
    """
    if args.estimator is None:
        return None
    # Imported late: MMPose is an extra.
    from mmsign.pose import MediaPipeEstimator, PoseEstimator

    if args.estimator == 'mediapipe':
        return MediaPipeEstimator(args.estimator_checkpoint, live=live)
    return PoseEstimator(args.estimator, args.estimator_checkpoint, device=args.device)
