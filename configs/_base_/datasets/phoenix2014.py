"""RWTH-PHOENIX-Weather 2014 as its authors ship it, plus a keypoint file.

``--cfg-options data_root=PATH frames=PATH.zip`` moves everything below.
"""

_base_ = 'loaders.py'
dataset_type = 'Phoenix2014Dataset'
data_root = 'data/phoenix2014'
# Relative to data_root, or absolute.
keypoint_file = 'keypoints.safetensors'
# Empty: as the corpus has them. A zip archive, for instance; the authors' pickles.
frames = ''
ann_file = ''
vocab = dict(dataset=dataset_type, data_root=data_root, ann_file=ann_file)
# Of the heatmaps, in pixels of the frames on disk.
sigma = 8.0
# The published numbers are of glosses whose equal neighbours were merged.
merge_adjacent = True
# For inference: what other people's videos are brought to (frames per second; width
# and height in pixels), and what a bundle says about its weights.
corpus = dict(
    fps=25.0,
    frame_size=(210, 260),
    licence='trained on RWTH-PHOENIX-Weather 2014: CC BY-NC-SA 4.0, for research',
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
