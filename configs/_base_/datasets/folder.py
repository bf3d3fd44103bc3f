"""Your own clips, listed in a manifest: see docs/data.md."""

_base_ = 'phoenix2014.py'
dataset_type = 'SignFolderDataset'
data_root = 'data/mine'
vocab = dict(dataset=dataset_type, data_root=data_root)
# 8 for frames 210 pixels wide: scale it with yours.
sigma = 8.0
corpus = dict(_delete_=True)
dataset = dict(type=dataset_type, data_root=data_root)
train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
