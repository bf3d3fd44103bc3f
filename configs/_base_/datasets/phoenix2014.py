"""RWTH-PHOENIX-Weather 2014 as its authors ship it, plus a keypoint file.

``--cfg-options data_root=PATH`` moves everything below; frames in a zip file:
``train_dataloader.dataset.frames=PATH.zip`` and likewise for val and test.
"""

dataset_type = 'Phoenix2014Dataset'
data_root = 'data/phoenix2014'
# Relative to data_root, or absolute.
keypoint_file = 'keypoints.safetensors'
# What inference brings other people's videos to: frames per second, (width, height).
corpus = dict(fps=25.0, frame_size=(210, 260))
vocab = dict(dataset=dataset_type, data_root=data_root)

train_dataloader = dict(
    batch_size=1,
    num_workers=4,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        split='train',
        keypoint_file=keypoint_file,
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=4,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        split='dev',
        keypoint_file=keypoint_file,
        test_mode=True,
    ),
)
test_dataloader = dict(
    batch_size=1,
    num_workers=4,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        split='test',
        keypoint_file=keypoint_file,
        test_mode=True,
    ),
)
val_evaluator = dict(type='WERMetric')
test_evaluator = dict(type='WERMetric')
