"""RWTH-PHOENIX-Weather 2014, signer-independent: signer 5 is not trained on."""

_base_ = 'phoenix2014.py'
dataset_type = 'Phoenix2014SI5Dataset'
data_root = 'data/phoenix2014si5'
vocab = dict(dataset=dataset_type, data_root=data_root)
dataset = dict(type=dataset_type, data_root=data_root)
train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
