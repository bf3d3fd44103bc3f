"""``tools/data/prepare.py elan`` and ``… subtitles``, from recordings to a corpus."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from elan_files import EAF, write_recordings
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.optim import OptimWrapper
from tiny_network import write_network
from tiny_run import load_tool
from tiny_video import SIZE, write_video

from mmsign import compat
from mmsign.datasets import KeypointFile, SignFolderDataset, write_keypoints
from mmsign.errors import ConfigError
from mmsign.registry import MODELS

prepare = load_tool('data/prepare')
PIPELINE = [
    dict(type='LoadClip', keypoints=False),
    dict(type='SampleClip'),
    dict(type='DecodeClip'),
    dict(type='ClipRandomCrop'),
    dict(type='ClipResize', size=32),
    dict(type='PackClip'),
]


def manifest(out: Path) -> list[dict[str, str]]:
    with open(out / 'manifest.csv', encoding='utf-8', newline='') as file:
        return list(csv.DictReader(file))


def test_sentences_of_a_tier(tmp_path, capsys):
    eaf, out = write_recordings(tmp_path / 'in'), tmp_path / 'corpus'
    tiers = ['--tier', 'GLOSS', '--text-tier', 'Übersetzung']
    assert prepare.main(['elan', str(tmp_path / 'in'), str(out), *tiers]) == 0
    first, second = manifest(out)
    assert first == dict(
        id='tag/rec-0000080-0000480',
        video='../in/tag/vorn ü.mp4',
        start='0.080',
        end='0.480',
        fps='25',
        glosses='SONNE WÄRME SONNE_DA',
        text='Die Sonne scheint & wärmt.',
        signer='Änne',
        split='train',
        times='0.081-0.181 0.181-0.281 0.281-0.381',
    )
    assert (second['glosses'], second['times']) == ('REGEN', '1.700-1.900')
    said = capsys.readouterr().out
    assert f'{eaf}: 2 clips' in said and '2 clips, 4 different glosses, 1 sign' in said
    for notice in ('1 empty annotation', '1 glosses with spaces', 'no times of their'):
        assert notice in said
    clips = SignFolderDataset(str(out), 'train', pipeline=PIPELINE[:1])
    assert [clip['num_frames'] for clip in clips] == [10, 8]
    prepare.main(['folder', str(out)])
    assert 'frames per second: 25 (2 clips)' in capsys.readouterr().out
    # The other video was recorded 40 ms longer at its beginning.
    other = ['elan', str(tmp_path / 'in'), str(out), *tiers, '--video', '2']
    assert prepare.main([*other, '--dev', 'tag/*']) == 0
    first, _ = manifest(out)
    assert (first['video'], first['split']) == ('../in/seite.mp4', 'dev')
    assert (first['start'], first['times'][:11]) == ('0.120', '0.121-0.221')


def test_keypoints_of_the_whole_videos(tmp_path, capsys):
    write_recordings(tmp_path / 'in')
    whole, out = tmp_path / 'whole.safetensors', tmp_path / 'corpus'
    points = np.random.default_rng(0).uniform(0, 48, (50, 133, 3))
    write_keypoints(whole, {'tag/vorn ü': points, 'other': points}, frame_size=SIZE)
    command = ['elan', str(tmp_path / 'in'), str(out), '--tier', 'GLOSS']
    assert prepare.main([*command, '--keypoints', str(whole)]) == 0
    file = KeypointFile(out / 'keypoints.safetensors')
    assert file.frame_size == SIZE
    load = [dict(type='LoadClip')]
    clips = SignFolderDataset(str(out), 'train', 'keypoints.safetensors', pipeline=load)
    both = KeypointFile(whole).read('tag/vorn ü')
    # 0.881 s is within frame 22, before its middle; 1.2 s begins frame 30.
    for clip, (first, last) in zip(clips, [(0, 22), (30, 50)]):
        assert (file.read(clip['clip_id']) == both[first:last]).all()
        assert len(clip['keypoints']) == clip['num_frames'] == last - first
    for bad, message in (
        ({'other': points}, r'no keypoints of .*vorn ü\.mp4'),
        ({'vorn ü': points[:40]}, '50 frames in .*, keypoints of 40'),
    ):
        write_keypoints(whole, bad)
        assert prepare.main([*command, '--keypoints', str(whole)]) == 1
        assert re.search(message, capsys.readouterr().err)
    with pytest.raises(ConfigError, match='is the input'):
        prepare.main([*command, '--keypoints', str(file.path)])


def test_from_elan_through_training_back_to_elan(tmp_path):
    eaf, out = write_recordings(tmp_path / 'in'), tmp_path / 'corpus'
    cut = ['elan', str(tmp_path / 'in'), str(out), '--tier', 'GLOSS']
    assert prepare.main(cut) == 0
    spans = [(row['start'], row['end']) for row in manifest(out)]
    assert spans == [('0.000', '0.881'), ('1.200', '2.000')]
    # A step of training on the clips.
    config, checkpoint = write_network(tmp_path, streams=('video',))
    cfg = Config.fromfile(config)
    cfg.model.vocab = dict(dataset='SignFolderDataset', data_root=str(out))
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    clips = SignFolderDataset(str(out), 'train', pipeline=PIPELINE)
    optimizer = OptimWrapper(torch.optim.Adam(model.parameters(), 1e-3))
    before = [parameter.clone() for parameter in model.parameters()]
    losses = model.train_step(pseudo_collate([clips[0], clips[1]]), optimizer)
    assert torch.isfinite(losses['loss'])
    assert any((a != b).any() for a, b in zip(before, model.parameters()))
    for name, parameter in model.named_parameters():
        if 'classifier.weight' in name:
            parameter.data.mul_(100)  # with something to say
    glosses = list(model.vocab.glosses)
    assert glosses == ['REGEN', 'SONNE', 'SONNE_DA', 'WÄRME']
    state = dict(meta=dict(gloss_vocab=glosses), state_dict=model.state_dict())
    compat.write_checkpoint(state, checkpoint)
    cfg.model.vocab = dict(glosses=glosses)
    cfg.dump(config)
    # What it recognizes goes to ELAN, and from there into a corpus.
    corrected = tmp_path / 'corrected' / 'rec.eaf'
    network = ['--config', str(config), '--checkpoint', str(checkpoint)]
    video = str(eaf.with_name('vorn ü.mp4'))
    (result,) = load_tool('infer').main(
        [video, *network, '--device', 'cpu', '--out', str(corrected)]
    )
    again = ['elan', str(corrected.parent), str(tmp_path / 'again'), '--tier', 'GLOSS']
    assert prepare.main(again) == 0
    rows = manifest(tmp_path / 'again')
    assert ' '.join(row['glosses'] for row in rows).split() == list(
        result.gloss_sequence
    )
    starts = [t.split('-')[0] for row in rows for t in row['times'].split()]
    assert starts == [f'{gloss.start:.3f}' for gloss in result.glosses] != []
    found = (tmp_path / 'again' / rows[0]['video']).resolve()
    assert found == Path(video).resolve()


def test_two_files_about_one_video(tmp_path, capsys):
    """Else what is trained on would be tested on."""
    eaf, out = write_recordings(tmp_path / 'in'), tmp_path / 'out'
    eaf.with_name('corrected.eaf').write_bytes(eaf.read_bytes())
    command = ['elan', str(tmp_path / 'in'), str(out), '--tier', 'GLOSS']
    assert prepare.main([*command, '--test', '*corrected']) == 1
    said = capsys.readouterr().err
    assert 'tag/corrected.eaf, which is for test, not train' in said
    assert not out.exists()
    assert prepare.main(command) == 0
    assert 'note: its video is that of' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('old', 'new', 'options', 'message'),
    [
        ('', '', '--tier G', r"no tier 'G'; there are: 'Übersetzung' \(2 annotat"),
        ('', '', '--tier GLOSS --text-tier T', "no tier 'T'"),
        ('', '', '--tier GLOSS --video 3', 'no video number 3'),
        ('"1700"', '"379"', '--tier GLOSS', 'overlap'),
        ('vorn', 'weg', '--tier GLOSS', r'weg ü\.mp4 is in none'),
        ('</TIER>', '', '--tier GLOSS', 'can ELAN open it'),
        ('REGEN', 'A&#x202e;B', '--tier GLOSS', 'legible'),
    ],
)
def test_files_that_cannot_be_used(tmp_path, capsys, old, new, options, message):
    write_recordings(tmp_path / 'in', EAF.replace(old, new) if old else EAF)
    command = ['elan', str(tmp_path / 'in'), str(tmp_path / 'out'), *options.split()]
    assert prepare.main(command) == 1
    said = capsys.readouterr().err
    assert re.search(message, said), said
    assert 'nothing written' in said and 'tag/rec.eaf: ' in said
    assert not (tmp_path / 'out').exists()


def test_a_video_that_is_cut_short(tmp_path, capsys):
    write_recordings(tmp_path / 'in', seconds=1.72)
    command = ['elan', str(tmp_path / 'in'), str(tmp_path / 'out'), '--tier', 'GLOSS']
    assert prepare.main(command) == 1
    said = capsys.readouterr().err
    assert "'REGEN' at 1.700-1.900 s lies behind the end of the video, 1.720 s" in said


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ('elan in out --tier GLOSS --dev ben*', 'no such recording; there are tag/rec'),
        ('elan in out --tier GLOSS --dev * --test tag/*', 'dev and test'),
        ('elan in out --tier GLOSS --pause 0', '--pause'),
        ('elan in out --tier GLOSS --video 0', '--video'),
        ('elan gone out --tier GLOSS', 'gone is not a folder'),
        ('subtitles in out', r'holds no file \.srt or \.vtt'),
    ],
)
def test_wrong_commands(tmp_path, monkeypatch, options, message):
    write_recordings(tmp_path / 'in')
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=message):
        prepare.main(options.split())
    assert not (tmp_path / 'out').exists()


def test_nothing_is_annotated(tmp_path):
    write_recordings(tmp_path / 'in')
    command = ['elan', str(tmp_path / 'in'), str(tmp_path / 'out'), '--tier', 'leer']
    with pytest.raises(ValueError, match='no annotation'):
        prepare.main(command)


def test_subtitles(tmp_path, capsys):
    folder, out = tmp_path / 'in', tmp_path / 'corpus'
    folder.mkdir()
    write_video(folder / 'a.mp4', 50)
    write_video(folder / 'b.mp4', 25)
    (folder / 'a.de.srt').write_text(
        '1\n00:00:00,040 --> 00:00:00,500\nHeute\n\n'
        '2\n00:00:00,600 --> 00:00:01,000\nregnet es.\n\n'
        '3\n00:00:01,200 --> 00:00:02,000\nMorgen nicht.\n'
    )
    (folder / 'b.vtt').write_text('WEBVTT\n\n00:00.000 --> 00:03.000\nJa.\n')
    command = ['subtitles', str(folder), str(out), '--signer', 'Ann', '--test', 'b']
    assert prepare.main(command) == 0
    rows = manifest(out)
    kept = [(row['id'], row['text'], row['split']) for row in rows]
    assert kept == [
        ('a.de-0000040-0001000', 'Heute regnet es.', 'train'),
        ('a.de-0001200-0002000', 'Morgen nicht.', 'train'),
        ('b-0000000-0001000', 'Ja.', 'test'),
    ]
    assert {row['signer'] for row in rows} == {'Ann'} and not rows[0]['glosses']
    assert 'end behind the video, 1.000 s' in capsys.readouterr().out
    clips = SignFolderDataset(str(out), 'train', pipeline=PIPELINE[:1])
    assert [clip['num_frames'] for clip in clips] == [24, 20]
    # Two languages are not to be mixed, and a sentence without a video is none.
    (folder / 'a.en.vtt').write_text('WEBVTT\n\n00:00.000 --> 00:01.000\nYes.\n')
    (folder / 'c.srt').write_text('1\n00:00:00,0 --> 00:00:01,0\nJa.\n')
    assert prepare.main(command) == 1
    said = capsys.readouterr().err
    assert 'a.mp4 has two files of subtitles, a.de.srt and a.en.vtt' in said
    assert f'{folder}/c.srt: no video of its name' in said
    assert manifest(out) == rows
