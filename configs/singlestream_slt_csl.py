"""SingleStream-SLT on CSL-Daily: video alone.

Paper: BLEU-4 23.70 on the test split.
"""

_base_ = ['video_slr_csl.py', '_base_/translation.py']
feature_file = 'work_dirs/features/video_slr_csl.safetensors'
features = [dict(type='LoadFeatures', feature_file=feature_file)]
train_dataloader = dict(
    batch_size=8, sampler={{_base_.in_any_order}}, dataset=dict(pipeline=features)
)
val_dataloader = dict(batch_size=8, dataset=dict(pipeline=features))
test_dataloader = dict(batch_size=8, dataset=dict(pipeline=features))
# Checkpoints: of g2t_mbart_csl.py, and of the recognizer of the features.
g2t_checkpoint = ''
recognizer_checkpoint = ''
translation_head = dict(
    g2t_checkpoint=g2t_checkpoint, mbart=dict(language='zh_CN', folder='data/mbart/csl')
)
model = dict(
    _delete_=True,
    type='SignTranslator',
    vocab={{_base_.vocab}},
    recognizer={{_base_.model}},
    recognizer_checkpoint=recognizer_checkpoint,
    translation=dict(video=translation_head),
)
optim_wrapper = dict(type='OptimWrapper', paramwise_cfg={{_base_.translation_rates}})
default_hooks = dict(checkpoint=dict(save_best='video/BLEU-4', rule='greater'))
custom_hooks = {{_base_.translation_hooks}}
val_evaluator = dict(_delete_=True, type='BLEUMetric')
test_evaluator = {{_base_.translation_evaluator}}
