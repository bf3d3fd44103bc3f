"""TwoStream-SLT-J on CSL-Daily: the joint head alone."""

_base_ = 'twostream_slt_csl.py'
model = dict(translation=dict(_delete_=True, joint={{_base_.translation_head}}))
default_hooks = dict(checkpoint=dict(save_best='joint/BLEU-4'))
