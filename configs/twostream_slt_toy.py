"""TwoStream-SLT on the toy corpus: three heads together, from cached features.

First ``tools/extract_features.py --views 2`` with a recognizer's checkpoint, and
g2t_toy.py: see tools/quickstart.sh.
"""

_base_ = [
    'twostream_slr_quickstart.py',
    '_base_/translation.py',
    '_base_/models/toy_mbart.py',
]
train_cfg = dict(max_epochs=30, val_interval=30)
param_scheduler = [
    dict(type='WarmUpLR', updates=100, start_factor=0.05, by_epoch=False),
    dict(
        type='CosineAnnealingLR',
        eta_min=1e-5,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]
# The recognizer's heads are trained already, mappers and mBARTs are not.
optim_wrapper = dict(
    optimizer=dict(lr=1e-3),
    paramwise_cfg=dict(
        _delete_=True,
        custom_keys=dict(recognizer=dict(lr_mult=0.1)),
        bypass_duplicate=True,
    ),
)
feature_file = 'work_dirs/features/twostream_slr_quickstart.safetensors'
features = [dict(type='LoadFeatures', feature_file=feature_file)]
# Few clips: random views of them keep the heads from learning them by heart.
views = [dict(type='LoadFeatures', feature_file=feature_file, views=2)]
train_dataloader = dict(
    batch_size=16,
    num_workers=0,
    sampler=dict(_delete_=True, type='SentenceBucketSampler', batch_size=16),
    dataset=dict(pipeline=views),
)
val_dataloader = dict(num_workers=0, dataset=dict(pipeline=features))
test_dataloader = dict(num_workers=0, dataset=dict(pipeline=features))
# Checkpoints of g2t_toy.py, and of the recognizer that the features are from.
g2t_checkpoint = ''
recognizer_checkpoint = ''
translation_head = dict(g2t_checkpoint=g2t_checkpoint, mbart={{_base_.toy_mbart}})
model = dict(
    _delete_=True,
    type='SignTranslator',
    vocab={{_base_.vocab}},
    recognizer={{_base_.model}},
    recognizer_checkpoint=recognizer_checkpoint,
    translation=dict(
        video=translation_head, keypoint=translation_head, joint=translation_head
    ),
)
default_hooks = dict(checkpoint=dict(save_best='ensemble/BLEU-4', rule='greater'))
custom_hooks = {{_base_.translation_hooks}}
val_evaluator = dict(_delete_=True, type='BLEUMetric')
test_evaluator = {{_base_.translation_evaluator}}
