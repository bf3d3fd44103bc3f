from __future__ import annotations

import argparse
import sys

import pytest
from tiny_run import load_tool

from mmsign.errors import MissingPackageError, PoseError

tool = load_tool('_estimator')


def arguments(*given: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    tool.add_estimator_arguments(parser)
    parser.add_argument('--device')
    return parser.parse_args(given)


def test_none_is_asked_for():
    args = arguments('--device', 'cpu')
    assert (args.estimator, args.estimator_checkpoint) == (None, None)
    assert (
        tool.open_estimator(args) is None
        and tool.open_estimator(args, live=True) is None
    )


@pytest.mark.parametrize(
    ('name', 'package'),
    [
        ('mediapipe', 'mediapipe'),
        ('hrnet', 'mmpose'),
        ('mine.py', 'mmpose'),
        ('rtmw', 'onnxruntime'),
    ],
)
def test_the_package_that_is_missing_is_named(name, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    args = arguments('--estimator', name, '--estimator-checkpoint', 'x.pth')
    assert args.estimator_checkpoint == 'x.pth'
    with pytest.raises((PoseError, MissingPackageError), match=package):
        tool.open_estimator(args)
