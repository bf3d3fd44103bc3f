"""RWTH-PHOENIX-Weather 2014T as its authors ship it, plus a keypoint file."""

_base_ = 'phoenix2014.py'
dataset_type = 'Phoenix2014TDataset'
data_root = 'data/phoenix2014T'
vocab = dict(dataset=dataset_type, data_root=data_root)
dataset = dict(type=dataset_type, data_root=data_root)
train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
