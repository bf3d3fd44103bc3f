"""TwoStream-SLT-K on CSL-Daily: the keypoint head alone."""

_base_ = 'twostream_slt_csl.py'
model = dict(translation=dict(_delete_=True, keypoint={{_base_.translation_head}}))
default_hooks = dict(checkpoint=dict(save_best='keypoint/BLEU-4'))
