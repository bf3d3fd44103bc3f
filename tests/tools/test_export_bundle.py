"""``tools/export/bundle.py`` as a user runs it."""

from __future__ import annotations

from tiny_network import keypoints_of, write_network
from tiny_run import load_tool
from tiny_video import write_video

from mmsign.datasets import write_keypoints


def test_written_and_read_by_the_tools(tmp_path, capsys):
    config, checkpoint = write_network(tmp_path)
    bundle, video = tmp_path / 'new' / 'x.bundle', tmp_path / 'clip.mp4'
    load_tool('export/bundle').main(
        [str(config), str(checkpoint), str(bundle), '--licence', 'ask us']
    )
    said = capsys.readouterr().out
    assert f'{bundle}: ' in said and '4 glosses' in said and 'weights: ask us' in said
    write_video(video, 12)
    write_keypoints(tmp_path / 'k.safetensors', {'clip': keypoints_of(12)})
    infer = load_tool('infer')
    common = [str(video), '--keypoints', str(tmp_path / 'k.safetensors')]
    common += ['--device', 'cpu']
    (ours,) = infer.main([*common, '--bundle', str(bundle)])
    (theirs,) = infer.main(
        [*common, '--config', str(config), '--checkpoint', str(checkpoint)]
    )
    assert ours.outputs == theirs.outputs and ours.glosses
