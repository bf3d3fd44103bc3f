import pytest
import torch
from tiny_models import sample

from mmsign.errors import ConfigError
from mmsign.models.data_preprocessor import SignDataPreprocessor
from mmsign.models.layers.heatmaps import draw_heatmaps


def packed(lengths=(4, 8), side: int = 16, keypoints: int = 79) -> dict:
    generator = torch.Generator().manual_seed(0)
    return dict(
        inputs=dict(
            video=[
                torch.randint(
                    0, 256, (3, n, side, side), dtype=torch.uint8, generator=generator
                )
                for n in lengths
            ],
            keypoints=[
                torch.rand(n, keypoints, 3, generator=generator) * 64 for n in lengths
            ],
        ),
        data_samples=[sample(n, clip_id=f'clip{n}') for n in lengths],
    )


def test_padding_and_scaling():
    preprocess = SignDataPreprocessor(video_size=16, heatmap_size=8)
    data = packed()
    video = preprocess(data)['inputs']['video']
    assert video.shape == (2, 3, 8, 16, 16)
    short, long = data['inputs']['video']
    torch.testing.assert_close(video[1], (long / 255 - 0.5) / 0.5)
    torch.testing.assert_close(video[0, :, :4], (short / 255 - 0.5) / 0.5)
    for frame in range(4, 8):
        torch.testing.assert_close(video[0, :, frame], video[0, :, 3])


def test_heatmaps_through_the_crop_box():
    preprocess = SignDataPreprocessor(video_size=16, heatmap_size=8, sigma=5.0)
    data = packed()
    data['data_samples'][1].set_metainfo(dict(crop_box=(7.0, 3.0, 40.0, 50.0)))
    maps = preprocess(data)['inputs']['heatmaps']
    assert maps.shape == (2, 79, 8, 8, 8)
    expected = draw_heatmaps(
        data['inputs']['keypoints'][1][None],
        torch.tensor([[7.0, 3.0, 40.0, 50.0]]),
        (8, 8),
        sigma=5.0,
    )
    torch.testing.assert_close(maps[1:], expected)
    torch.testing.assert_close(maps[0, :, 7], maps[0, :, 3])


def test_one_input_alone():
    preprocess = SignDataPreprocessor(video_size=16, heatmap_size=8)
    data = packed()
    del data['inputs']['video']
    assert set(preprocess(data)['inputs']) == {'heatmaps'}


def test_under_autocast_inputs_come_in_its_dtype():
    preprocess = SignDataPreprocessor(video_size=16, heatmap_size=8)
    plain = preprocess(packed())['inputs']
    with torch.autocast('cpu', torch.bfloat16):
        low = preprocess(packed())['inputs']
    for key, x in low.items():
        assert x.dtype == torch.bfloat16
        assert x.is_contiguous(memory_format=torch.channels_last_3d)
        torch.testing.assert_close(x.float(), plain[key], atol=0.02, rtol=0)


def test_padding_to_a_multiple():
    preprocess = SignDataPreprocessor(video_size=16, heatmap_size=8, pad_multiple=12)
    data = packed()
    inputs = preprocess(data)['inputs']
    assert inputs['video'].shape[2] == inputs['heatmaps'].shape[2] == 12
    torch.testing.assert_close(inputs['video'][1, :, 11], inputs['video'][1, :, 7])
    assert [sample.length for sample in data['data_samples']] == [4, 8]


def test_padding_behind_every_clip():
    preprocess = SignDataPreprocessor(
        video_size=16, heatmap_size=8, pad_multiple=4, min_padding=3
    )
    data = packed()
    inputs = preprocess(data)['inputs']
    assert inputs['video'].shape[2] == inputs['heatmaps'].shape[2] == 12
    for x in inputs.values():
        # The longer clip, of 8 frames, ends in its last one too.
        torch.testing.assert_close(x[1, :, 8:], x[1, :, 7:8].expand(-1, 4, -1, -1))
    assert [sample.length for sample in data['data_samples']] == [4, 8]


def test_input_shapes():
    preprocess = SignDataPreprocessor(video_size=16, heatmap_size=8)
    assert preprocess.input_shape('video') == (3, (16, 16))
    assert preprocess.input_shape('heatmaps') == (79, (8, 8))


def test_wrong_sizes_name_the_clip():
    preprocess = SignDataPreprocessor(video_size=24, heatmap_size=8)
    with pytest.raises(ConfigError, match='clip4'):
        preprocess(packed())
    preprocess = SignDataPreprocessor(video_size=16, heatmap_size=8)
    with pytest.raises(ConfigError, match='clip4'):
        preprocess(packed(keypoints=133))


def test_a_networks_own_normalisation():
    mean, std = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
    preprocess = SignDataPreprocessor(
        video_size=16, heatmap_size=8, video_mean=mean, video_std=std, video_rgb=True
    )
    data = packed((4,))
    video = preprocess(data)['inputs']['video'][0]
    # The clip is BGR, the numbers are RGB.
    for channel in range(3):
        pixels = data['inputs']['video'][0][2 - channel]
        expected = (pixels - mean[channel]) / std[channel]
        torch.testing.assert_close(video[channel], expected)


def test_points_in_the_crop_box():
    preprocess = SignDataPreprocessor(keypoint_input='points')
    data = packed()
    del data['inputs']['video']
    for clip in data['data_samples']:
        clip.set_metainfo(dict(crop_box=(8.0, 4.0, 32.0, 16.0)))
    keypoints = data['inputs']['keypoints'][0]
    keypoints[0, :3, :2] = torch.tensor([[8.0, 4.0], [40.0, 20.0], [24.0, 8.0]])
    inputs = preprocess(data)['inputs']
    assert set(inputs) == {'points'} and inputs['points'].shape == (2, 3, 8, 79, 1)
    first = inputs['points'][0, :, 0, :3, 0].T
    places = torch.tensor([[-1.0, -1.0], [1.0, 1.0], [0.0, -0.5]])
    torch.testing.assert_close(first[:, :2], places)
    torch.testing.assert_close(first[:, 2], keypoints[0, :3, 2])
    torch.testing.assert_close(inputs['points'][0, :, 7], inputs['points'][0, :, 3])
    assert preprocess.input_key('keypoint') == 'points'
    assert preprocess.input_shape('points') == (3, (79, 1))
    masked = SignDataPreprocessor(keypoint_input='masked_points', min_padding=2)
    found = masked(data)['inputs']['masked_points']
    assert masked.input_shape('masked_points') == (4, found.shape[3:])
    torch.testing.assert_close(found[:, :3, :8], inputs['points'])
    own = torch.zeros(2, 10)
    own[0, :4] = own[1, :8] = 1
    assert torch.equal(found[:, 3, :, :, 0], own[..., None].expand(-1, -1, 79))


@pytest.mark.parametrize(
    'wrong',
    [
        dict(keypoint_input='limbs'),
        dict(video_mean=(1.0, 2.0)),
        dict(video_std=(1.0, 0.0, 1.0)),
        dict(pad_multiple=0),
        dict(min_padding=-1),
        dict(memory_format='channels_first'),
        dict(heatmap_range=(1.0, 0.0)),
    ],
)
def test_impossible_settings(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        SignDataPreprocessor(**wrong)


def test_heatmap_range():
    plain = SignDataPreprocessor(video_size=16, heatmap_size=8)
    positive = SignDataPreprocessor(
        video_size=16, heatmap_size=8, heatmap_range=(0.0, 1.0)
    )
    maps = plain(packed())['inputs']['heatmaps']
    torch.testing.assert_close(positive(packed())['inputs']['heatmaps'], (maps + 1) / 2)


def test_chosen_keypoints_are_those_of_all():
    sizes = dict(video_size=16, heatmap_size=8)
    every = SignDataPreprocessor(**sizes)
    some = SignDataPreprocessor(keypoints=['right_wrist', 'hands'], **sizes)
    channels = [*range(16, 58), 78]
    data = packed()
    maps = some(data)['inputs']['heatmaps']
    assert torch.equal(maps, every(data)['inputs']['heatmaps'][:, channels])
    assert some.input_shape('heatmaps') == (43, (8, 8))
    graph = dict(keypoint_input='points', **sizes)
    points = SignDataPreprocessor(keypoints=[78, 'hands'], **graph)
    expected = SignDataPreprocessor(**graph)(data)['inputs']['points']
    assert torch.equal(points(data)['inputs']['points'], expected[:, :, :, channels])
    # Weights of earlier versions fit.
    assert not some.state_dict()


def test_the_number_of_keypoints_follows_from_the_choice():
    assert SignDataPreprocessor(num_keypoints=79).num_keypoints == 79
    assert SignDataPreprocessor(keypoints='hands', num_keypoints=42).num_keypoints == 42
    for chosen in (None, ['hands', 'nose']):
        with pytest.raises(ConfigError, match='num_keypoints=42'):
            SignDataPreprocessor(keypoints=chosen, num_keypoints=42)


def test_sigma_as_a_share_of_each_clips_frame():
    sizes = dict(video_size=16, heatmap_size=8)
    data, widths = packed((4, 4)), (210, 640)
    for clip, width in zip(data['data_samples'], widths):
        clip.set_metainfo(dict(frame_size=(width, 300)))
    maps = SignDataPreprocessor(sigma=None, **sizes)(data)['inputs']['heatmaps'].clone()
    # Exactly the published 8 pixels in frames 210 wide.
    for row, sigma in enumerate((8.0, 8 * 640 / 210)):
        expected = SignDataPreprocessor(sigma=sigma, **sizes)(data)['inputs']
        torch.testing.assert_close(
            maps[row], expected['heatmaps'][row], rtol=0, atol=1e-6 * row
        )
    with pytest.raises(ConfigError, match='sigma=0'):
        SignDataPreprocessor(sigma=0)


def test_missing_points_are_where_they_were_last_seen():
    preprocess = SignDataPreprocessor(keypoint_input='points')
    data = packed((6, 9))
    del data['inputs']['video']
    keypoints = data['inputs']['keypoints'][0]
    lost = torch.tensor([-64.0, float('nan'), 0.0])
    keypoints[2:4, 0] = keypoints[:3, 1] = keypoints[:, 2] = keypoints[5, 3] = lost
    found = preprocess(data)['inputs']['points'][0, ..., 0].permute(1, 2, 0)
    own = (keypoints[..., :2] / torch.tensor([64.0, 80.0])) * 2 - 1
    xy = found[..., :2]
    torch.testing.assert_close(xy[2:4, 0], own[1:2, 0].expand(2, 2))
    torch.testing.assert_close(xy[[0, 1, 4, 5], 0], own[[0, 1, 4, 5], 0])
    torch.testing.assert_close(xy[:4, 1], own[3:4, 1].expand(4, 2))
    # In the middle, if it is nowhere; padding goes on with what was seen last.
    assert (xy[:, 2] == 0).all()
    torch.testing.assert_close(xy[5:, 3], own[4:5, 3].expand(4, 2))
    torch.testing.assert_close(found[:6, :, 2], keypoints[..., 2])
    # Of the other clip nothing is missing.
    whole = data['inputs']['keypoints'][1][..., 2]
    torch.testing.assert_close(
        preprocess(data)['inputs']['points'][1, 2, ..., 0], whole
    )
