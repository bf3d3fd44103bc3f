"""Your own clips, listed in a manifest: see docs/data.md."""

_base_ = 'phoenix2014.py'
dataset_type = 'SignFolderDataset'
data_root = 'data/mine'
# Splits by signer instead of the manifest's: signers = dict(test=['Ann']).
vocab = dict(dataset=dataset_type, data_root=data_root)
# 8 for frames 210 pixels wide: scale it with yours.
sigma = 8.0
# Frames per second that videos are brought to, in training, testing and inference.
# None sees every clip at its own rate: fine if all have the same.
fps = None
# NO NO stays two signs.
merge_adjacent = False
corpus = dict(_delete_=True, fps=fps)
dataset = dict(type=dataset_type, data_root=data_root, fps=fps)
train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
