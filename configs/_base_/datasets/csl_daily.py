"""CSL-Daily as its authors hand it out, plus a keypoint file."""

_base_ = 'loaders.py'
dataset_type = 'CSLDailyDataset'
data_root = 'data/csl-daily'
# Relative to data_root, or absolute.
keypoint_file = 'keypoints.safetensors'
# Empty: as the corpus has them. A zip archive, for instance; the authors' pickles.
frames = ''
ann_file = ''
vocab = dict(dataset=dataset_type, data_root=data_root, ann_file=ann_file)
# 8 pixels of a map of 170, to which the authors scale the frames of 512.
sigma = 8.0 * 512 / 170
# The published numbers are of glosses whose equal neighbours were merged.
merge_adjacent = True
# For inference, see phoenix2014.py.
corpus = dict(
    fps=30.0,
    frame_size=(512, 512),
    licence='trained on CSL-Daily: under the agreement with its authors, for research',
)

dataset = dict(
    type=dataset_type,
    data_root=data_root,
    keypoint_file=keypoint_file,
    frames=frames,
    ann_file=ann_file,
)
train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
