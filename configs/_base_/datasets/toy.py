"""The toy corpus that tools/data/make_toy_corpus.py writes: Phoenix-2014T's layout."""

dataset_type = 'Phoenix2014TDataset'
data_root = 'data/toy'
# Relative to data_root, or absolute.
keypoint_file = 'keypoints.safetensors'
# For inference: what other people's videos are brought to (frames per second; width
# and height in pixels), and what a bundle says about its weights.
corpus = dict(
    fps=25.0,
    frame_size=(84, 104),
    licence="trained on mmsign's toy corpus, rendered by code: Apache-2.0",
)
vocab = dict(dataset=dataset_type, data_root=data_root)

train_dataloader = dict(
    batch_size=8,
    num_workers=2,
    sampler=dict(type='LengthBucketSampler', batch_size=8),
    collate_fn=dict(type='mmsign.clip_collate'),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        split='train',
        keypoint_file=keypoint_file,
    ),
)
# One clip at a time: what a clip is padded with reaches its last output steps, so a
# result would depend on how clips are batched, and spread over processes.
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
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
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        split='test',
        keypoint_file=keypoint_file,
        test_mode=True,
    ),
)
# The second speaks up where clips have one gloss or none.
val_evaluator = [dict(type='WERMetric'), dict(type='SingleSignMetric')]
test_evaluator = [dict(type='WERMetric'), dict(type='SingleSignMetric')]
