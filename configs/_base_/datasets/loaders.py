"""Clips from each split of a corpus that the experiment names."""

train_dataloader = dict(
    # On a GPU at once, at most: see total_batch_size.
    batch_size=4,
    num_workers=8,
    sampler=dict(type='LengthBucketSampler', batch_size=4),
    collate_fn=dict(type='mmsign.clip_collate'),
    dataset=dict(split='train'),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=4,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(split='dev', test_mode=True),
)
test_dataloader = dict(
    batch_size=1,
    num_workers=4,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(split='test', test_mode=True),
)
# The second speaks up where clips have one gloss or none.
val_evaluator = [dict(type='WERMetric'), dict(type='SingleSignMetric')]
test_evaluator = [dict(type='WERMetric'), dict(type='SingleSignMetric')]
