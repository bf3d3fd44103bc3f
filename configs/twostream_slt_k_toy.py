"""TwoStream-SLT-K on the toy corpus: the keypoint head alone."""

_base_ = 'twostream_slt_toy.py'
model = dict(translation=dict(_delete_=True, keypoint={{_base_.translation_head}}))
default_hooks = dict(checkpoint=dict(save_best='keypoint/BLEU-4'))
