"""Estimators of keypoints as the tools' arguments name them."""

from __future__ import annotations

import argparse

from .clip_keypoints import Estimator


def add_estimator_arguments(parser: argparse.ArgumentParser) -> None:
    """``--estimator`` and ``--estimator-checkpoint``."""
    parser.add_argument(
        '--estimator',
        metavar='NAME',
        help='finds keypoints: hrnet, fast, or a config of MMPose, as '
        'mmsign.pose.PoseEstimator takes it (docs/keypoints.md)',
    )
    parser.add_argument(
        '--estimator-checkpoint', metavar='FILE', help='default: what MMPose lists'
    )


def open_estimator(args: argparse.Namespace) -> Estimator | None:
    """The estimator that the arguments name, on ``args.device``; None for none.

    Raises:
        PoseError: If MMPose is not installed, or config and checkpoint do not fit.
    """
    if args.estimator is None:
        return None
    # Imported late: MMPose is an extra.
    from mmsign.pose import PoseEstimator

    return PoseEstimator(args.estimator, args.estimator_checkpoint, device=args.device)
