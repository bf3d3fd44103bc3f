"""TwoStream-SLT-V on CSL-Daily: the video head alone."""

_base_ = 'twostream_slt_csl.py'
model = dict(translation=dict(_delete_=True, video={{_base_.translation_head}}))
default_hooks = dict(checkpoint=dict(save_best='video/BLEU-4'))
