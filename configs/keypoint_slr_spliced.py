"""A dictionary of single signs trains a recognizer of sentences, by keypoints alone.

The training split holds single signs, the others sentences as they are signed.
"""

_base_ = ['keypoint_slr_small.py']
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='SplicedSigns',
        dataset=dict(
            type={{_base_.dataset_type}},
            data_root={{_base_.data_root}},
            ann_file={{_base_.ann_file}},
            keypoint_file={{_base_.keypoint_file}},
            fps={{_base_.fps}},
            step={{_base_.step}},
            split='train',
            pipeline={{_base_.keypoint_clip_pipeline}},
        ),
        pipeline={{_base_.keypoint_sentence_pipeline}},
    )
)
