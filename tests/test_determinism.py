"""The same seed on the same machine gives the same network and the same scores."""

from __future__ import annotations

import pytest
import torch
from mmengine.runner import Runner
from tiny_run import unformatted_configs
from tiny_training import train, training_config


def outcome(runner) -> tuple[dict, list, dict]:
    """Weights and buffers, losses of every iteration, scores of validation."""
    scalars = runner.message_hub.log_scalars
    losses = scalars['train/loss'].data[0].tolist()
    scores = {k: v.data[0].tolist() for k, v in scalars.items() if k.startswith('val/')}
    scores = {k: v for k, v in scores.items() if 'time' not in k}
    return runner.model.state_dict(), losses, scores


@pytest.fixture(scope='module')
def trained(phoenix_tree, tmp_path_factory) -> dict[int, Runner]:
    """A run without and one with worker processes."""
    return {
        workers: train(
            training_config(phoenix_tree, tmp_path_factory.mktemp('w'), workers)
        )
        for workers in (0, 2)
    }


@pytest.mark.parametrize('workers', [0, 2])
def test_training_twice_is_training_once(workers, trained, phoenix_tree, tmp_path):
    # What was drawn before does not matter.
    torch.rand(17)
    again = outcome(train(training_config(phoenix_tree, tmp_path, workers)))
    weights, losses, scores = outcome(trained[workers])
    assert again[1] == losses and len(set(losses)) == len(losses) == 4
    assert again[2] == scores and 'val/average/WER' in scores
    assert again[0].keys() == weights.keys()
    for key, value in weights.items():
        assert torch.equal(again[0][key], value), key


def test_another_seed_is_another_network(trained, phoenix_tree, tmp_path):
    cfg = training_config(phoenix_tree, tmp_path, epochs=1)
    cfg.randomness.seed = 1
    assert outcome(train(cfg))[1] != outcome(trained[0])[1][:2]


def test_workers_change_nothing_in_testing(trained, phoenix_tree, tmp_path):
    scores = []
    for workers in (0, 2):
        cfg = training_config(phoenix_tree, tmp_path / str(len(scores)), workers)
        cfg.load_from = f'{trained[0].work_dir}/epoch_2.pth'
        with unformatted_configs():
            scores.append(Runner.from_cfg(cfg).test())
    assert scores[0] == scores[1]
    assert scores[0]['average/reference_words'] == 3
