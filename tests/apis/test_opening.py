from __future__ import annotations

import pytest
import torch

from mmsign.apis import open_network
from mmsign.errors import BundleError, CheckpointError, ConfigError


def test_both_ways_lead_to_one_network(bundle, network_files):
    ways = [open_network(*network_files, device='cpu')]
    ways.append(open_network(bundle=bundle, device='cpu'))
    assert ways[0].spec == ways[1].spec
    ours, theirs = (way.model.required_state() for way in ways)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)


def test_both_can_be_fast(bundle, network_files):
    for network in (
        open_network(*network_files, device='cpu', fast=True),
        open_network(bundle=str(bundle), device='cpu', fast=True),
    ):
        assert not any('bn' in key for key in network.model.state_dict())


def test_one_network_is_to_be_named(bundle, network_files):
    config, checkpoint = network_files
    for arguments in (
        {},
        dict(config=config),
        dict(checkpoint=checkpoint),
        dict(config=config, bundle=bundle),
        dict(config=config, checkpoint=checkpoint, bundle=bundle),
    ):
        with pytest.raises(ConfigError, match='name one network: a config and its'):
            open_network(**arguments)


def test_weights_of_another_network(rewrite):
    def change(config):
        config['model']['video']['backbone']['width'] = 0.25

    message = r'changed\.bundle: the checkpoint does not fit the network'
    with pytest.raises(BundleError, match=message):
        open_network(bundle=rewrite(change), device='cpu')


def test_settings_that_no_part_takes(rewrite):
    def change(config):
        config['model']['video']['backbone']['depths'] = 4

    with pytest.raises(BundleError, match=r'changed\.bundle: .*depths'):
        open_network(bundle=rewrite(change), device='cpu')


def test_files_that_are_missing_or_something_else(bundle, network_files, tmp_path):
    with pytest.raises(FileNotFoundError, match=r'gone\.bundle does not exist'):
        open_network(bundle=tmp_path / 'gone.bundle')
    with pytest.raises(BundleError, match=r'tiny\.pth is no bundle'):
        open_network(bundle=network_files[1])
    with pytest.raises(CheckpointError, match=r'a\.bundle'):
        open_network(network_files[0], bundle)
