"""SingleStream-SLT on the toy corpus: video alone, from cached features."""

_base_ = 'twostream_slt_toy.py'
feature_file = 'work_dirs/features/video_slr_toy.safetensors'
features = [dict(type='LoadFeatures', feature_file=feature_file)]
views = [dict(type='LoadFeatures', feature_file=feature_file, views=2)]
train_dataloader = dict(dataset=dict(pipeline=views))
val_dataloader = dict(dataset=dict(pipeline=features))
test_dataloader = dict(dataset=dict(pipeline=features))
model = dict(
    recognizer=dict(
        _delete_=True,
        type='SingleStreamRecognizer',
        data_preprocessor={{_base_.model.recognizer.data_preprocessor}},
        decoder={{_base_.model.recognizer.decoder}},
        video=dict(
            backbone={{_base_.model.recognizer.video.backbone}},
            head={{_base_.model.recognizer.video.head}},
        ),
    ),
    translation=dict(_delete_=True, video={{_base_.translation_head}}),
)
default_hooks = dict(checkpoint=dict(save_best='video/BLEU-4'))
