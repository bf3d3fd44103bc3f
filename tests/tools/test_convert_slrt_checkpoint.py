"""The converter of the authors' checkpoints, from their file to ``tools/test.py``.

The networks at full size, whose logits are compared with numbers from the authors'
code, take minutes: they run with ``MMSIGN_FULL_SIZE_TESTS=1``.
"""

from __future__ import annotations

import json
import os
import pickle
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.apis import init_recognizer
from mmengine.config import Config
from peer_files import PEERS
from slrt_files import golden_inputs, slrt_state
from tiny_frames import write_frames
from tiny_mbart import golden_slt_weights, mbart_config
from tiny_run import TOOLS, load_tool, unique_name

from mmsign import compat
from mmsign.datasets.io.keypoint_file import write_keypoints
from mmsign.interop import slrt_names as slrt
from mmsign.interop.slrt_translation import to_slrt_translation
from mmsign.models import SignRecognizer
from mmsign.models.data_preprocessor import SignDataPreprocessor
from mmsign.registry import MODELS

sys.path.insert(0, str(TOOLS / 'convert'))
convert = load_tool('convert/slrt_checkpoint')
test_tool = load_tool('test')
CONFIGS = Path(__file__).parents[2] / 'configs'
GLOSSES = ['NORD', 'REGEN', 'SONNE']
FULL_SIZE = pytest.mark.skipif(
    not os.environ.get('MMSIGN_FULL_SIZE_TESTS'),
    reason='takes minutes; set MMSIGN_FULL_SIZE_TESTS=1',
)
NARROW = """
_base_ = ['{base}']
dataset_type = 'Phoenix2014Dataset'
head = dict(hidden_channels=16, feedforward_channels=24)
backbone = dict(width=0.125)
model = dict(
    video=dict(backbone=backbone, head=head, pyramid_head=head),
    keypoint=dict(backbone=backbone, head=head, pyramid_head=head),
    joint=head,
    data_preprocessor=dict(memory_format='contiguous'))
test_dataloader = dict(dataset=dict(type='Phoenix2014Dataset'))
"""


@pytest.fixture(scope='module')
def corpus(tmp_path_factory) -> Path:
    """Two clips of 16 frames in the layout of Phoenix-2014."""
    root = tmp_path_factory.mktemp('phoenix2014')
    (root / 'annotations/manual').mkdir(parents=True)
    rows = ['id|folder|signer|annotation']
    for clip, glosses in dict(a='REGEN NORD', b='SONNE').items():
        rows.append(f'{clip}|{clip}/1/*.png|Signer01|{glosses}')
        write_frames(root / f'features/fullFrame-210x260px/test/{clip}/1', 16)
    for split in ('train', 'test'):
        table = root / f'annotations/manual/{split}.corpus.csv'
        table.write_text('\n'.join(rows) + '\n', encoding='utf-8')
    poses = np.random.default_rng(0).uniform(0, 20, (16, 133, 3)).astype(np.float32)
    write_keypoints(root / 'keypoints.safetensors', dict(a=poses, b=poses))
    return root


@pytest.fixture
def run_test(corpus, tmp_path, monkeypatch):
    """``tools/test.py CONFIG CHECKPOINT``: metrics, inputs and logits of the batch."""
    monkeypatch.setenv('LOCAL_RANK', '0')
    seen = {}
    forward = SignRecognizer.forward

    def recording(self, inputs, data_samples=None, mode='tensor'):
        seen.update(inputs=inputs, samples=data_samples)
        seen.update(logits=forward(self, inputs, data_samples, 'tensor'))
        return forward(self, inputs, data_samples, mode)

    monkeypatch.setattr(SignRecognizer, 'forward', recording)

    def run_test(config: str, checkpoint: str) -> tuple[dict, dict]:
        options = (
            f'data_root={corpus}',
            'test_dataloader.batch_size=2',
            'test_dataloader.num_workers=0',
            f'experiment_name={unique_name()}',
        )
        work = ['--work-dir', str(tmp_path / 'work')]
        metrics = test_tool.main([config, checkpoint, *work, '--cfg-options', *options])
        return metrics, seen

    return run_test


def run_tool(arguments: list) -> int:
    """``tools/convert/slrt_checkpoint.py``; its exit status."""
    try:
        convert.main(arguments)
    except SystemExit as ended:
        return ended.code
    return 0


def write_vocabulary(path: Path, glosses: list[str]) -> str:
    path.write_text('\n'.join(glosses) + '\n', encoding='utf-8')
    return str(path)


@pytest.fixture(scope='module')
def narrow(tmp_path_factory):
    """A narrow two-stream network: its config and the authors' file of it."""
    folder = tmp_path_factory.mktemp('narrow')
    config = folder / 'narrow.py'
    config.write_text(NARROW.format(base=CONFIGS / 'twostream_slr_toy.py'))
    cfg = Config.fromfile(config)
    torch.manual_seed(0)
    cfg.model.vocab = dict(glosses=GLOSSES)
    model = MODELS.build(cfg.model).eval()
    with torch.no_grad():
        for value in model.state_dict().values():
            if value.is_floating_point() and value.dim() < 2:
                value.uniform_(0.5, 1.5)
    ours, theirs = str(folder / 'ours.pth'), str(folder / 'theirs.ckpt')
    meta = dict(gloss_vocab=GLOSSES)
    compat.write_checkpoint(dict(meta=meta, state_dict=model.state_dict()), ours)
    assert run_tool([ours, theirs, '--reverse']) == 0
    vocab = write_vocabulary(folder / 'glosses.txt', GLOSSES)
    return dict(config=str(config), ours=ours, theirs=theirs, vocab=vocab, model=model)


def state_of(path, key: str = 'state_dict') -> dict[str, torch.Tensor]:
    return torch.load(path, weights_only=True)[key]


def assert_equal(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> None:
    assert set(a) == set(b)
    assert not [name for name in a if not torch.equal(a[name], b[name])]


def test_there_and_back(narrow, tmp_path, capsys):
    dst, back = str(tmp_path / 'dst.pth'), str(tmp_path / 'back.ckpt')
    assert run_tool([narrow['theirs'], dst, '--vocab', narrow['vocab']]) == 0
    printed = capsys.readouterr().out
    theirs = state_of(narrow['theirs'], 'model_state')
    tables = [name for name in theirs if name.endswith('pe.pe')]
    assert len(tables) == 7
    for name in tables:
        assert f'not used: {name} (position table' in printed
    used = len(theirs) - 7
    assert f'{used} of {len(theirs)} tensors used, 7 not used' in printed
    assert f'{used} tensors filled, 0 not filled' in printed
    assert_equal(state_of(dst), state_of(narrow['ours']))
    assert run_tool([dst, back, '--reverse']) == 0
    assert_equal(state_of(back, 'model_state'), theirs)


def test_converted_checkpoints_are_tested_and_built(narrow, tmp_path, run_test):
    dst, written = str(tmp_path / 'dst.pth'), str(tmp_path / 'dst.py')
    vocab = ['--vocab', narrow['vocab'], '--write-config', written]
    config = ['--config', narrow['config']]
    assert run_tool([narrow['theirs'], dst, *config, *vocab]) == 0
    metrics, seen = run_test(narrow['config'], dst)
    assert metrics['average/WER'] >= 0
    with torch.no_grad():
        direct = narrow['model'](seen['inputs'], seen['samples'])
    assert {'video', 'keypoint', 'joint', 'average'} < set(direct)
    assert_equal(seen['logits'], direct)
    meta = torch.load(dst, weights_only=True)['meta']
    assert meta['gloss_vocab'] == GLOSSES and meta['converted_from'] == 'theirs.ckpt'
    # The config that is written needs no corpus.
    model = init_recognizer(written, dst, 'cpu')
    assert model.vocab.glosses == tuple(GLOSSES)


def test_keypoint_attention_is_tested_after_conversion(corpus, tmp_path, run_test):
    config, theirs = tmp_path / 'mska.py', str(tmp_path / 'theirs.ckpt')
    config.write_text(
        f"_base_ = ['{CONFIGS}/recipes/mska_slr_phoenix.py']\n"
        'channels = (8, 8, 12, 12, 16, 16, 16, 16)\n'
        'model = dict(keypoint=dict(backbone=dict(channels=channels),\n'
        '    head=dict(hidden_channels=16, feedforward_channels=24)))\n'
    )
    cfg = Config.fromfile(config)
    cfg.model.vocab = dict(glosses=GLOSSES)
    model = MODELS.build(cfg.model).eval()
    ours = model.state_dict()
    names = json.loads((PEERS / 'mska_state_shapes.json').read_text())
    state = {slrt.PREFIX + name: ours[slrt.slrt_to_ours(name)] for name in names}
    compat.write_checkpoint(dict(model_state=state), theirs)
    vocab = write_vocabulary(tmp_path / 'glosses.txt', GLOSSES)
    dst = str(tmp_path / 'dst.pth')
    assert run_tool([theirs, dst, '--vocab', vocab, '--config', str(config)]) == 0
    assert_equal(state_of(dst), ours)
    metrics, seen = run_test(str(config), dst)
    assert 'keypoint_fuse/WER' in metrics and 'average/WER' in metrics
    with torch.no_grad():
        assert_equal(seen['logits'], model(seen['inputs'], seen['samples']))
    # The backbone alone, and no way back.
    assert run_tool([theirs, dst, '--backbone', 'keypoint']) == 2  # not narrow
    assert run_tool([theirs, dst, '--reverse']) == 2


def test_a_config_of_other_sizes_is_refused(narrow, tmp_path, capsys):
    config, dst = tmp_path / 'wide.py', tmp_path / 'dst.pth'
    config.write_text(
        f'_base_ = [{narrow["config"]!r}]\n'
        'model = dict(video=dict(backbone=dict(width=0.25)))\n'
    )
    arguments = [narrow['theirs'], str(dst), '--vocab', narrow['vocab']]
    assert run_tool([*arguments, '--config', str(config)]) == 2
    message = r'wide\.py.*0\.conv_s\.weight \(8, 3,.* instead of \(16, 3,'
    assert re.search(message, capsys.readouterr().err)
    assert not dst.exists()


def test_parts_that_the_config_lacks(narrow, tmp_path, capsys):
    dst = tmp_path / 'dst.pth'
    arguments = [narrow['theirs'], str(dst), '--vocab', narrow['vocab']]
    config = tmp_path / 'late.py'
    parts = ', '.join(
        f'{name}=dict(pyramid_head=None)' for name in ('video', 'keypoint')
    )
    for left_out, code in (('bilateral', 2), ('joint', 2), ('pyramid', 0)):
        more = f', {parts}' if left_out == 'pyramid' else ''
        config.write_text(
            f'_base_ = [{narrow["config"]!r}]\nmodel = dict({left_out}=None{more})\n'
        )
        assert run_tool([*arguments, '--config', str(config)]) == code
        assert dst.exists() == (code == 0)
        out, err = capsys.readouterr()
        if code:
            assert 'late.py' in err and 'recognition_network.visual_' in err
        else:
            assert out.count('(for training only') == 116


def test_vocabularies_of_other_sizes_are_refused(narrow, tmp_path, capsys):
    dst = str(tmp_path / 'dst.pth')
    short = write_vocabulary(tmp_path / 'short.txt', GLOSSES[1:])
    assert run_tool([narrow['theirs'], dst, '--vocab', short]) == 2
    error = capsys.readouterr().err
    assert error.startswith('error: ') and error.count('\n') == 1
    assert 'theirs.ckpt has 4 classes' in error and 'short.txt has 2 glosses' in error
    assert run_tool([narrow['theirs'], dst]) == 2
    assert 'pass --vocab with the gloss2ids.pkl' in capsys.readouterr().err
    assert not Path(dst).exists()


def test_glosses_are_spelled_as_the_corpus_does(narrow, corpus, tmp_path, capsys):
    dst, pkl = str(tmp_path / 'dst.pth'), tmp_path / 'gloss2ids.pkl'
    # Two names of one class, as the vocabulary of Phoenix-2014 has them.
    classes = {'<si>': 0, 'nord': 1, 'regen': 2, 'sonne': 3, 'sonnig': 3}
    pkl.write_bytes(pickle.dumps(classes))
    config = tmp_path / 'corpus.py'
    config.write_text(
        f'_base_ = [{narrow["config"]!r}]\n'
        "model = dict(vocab=dict(dataset='Phoenix2014Dataset'))\n"
    )
    command = [narrow['theirs'], dst, '--vocab', str(pkl), '--config', str(config)]
    assert run_tool(command) == 0
    meta = torch.load(dst, weights_only=True)['meta']
    assert meta['gloss_vocab'] == ['nord', 'regen', 'sonne']
    command += ['--data-root', str(corpus)]
    assert run_tool(command) == 0
    meta = torch.load(dst, weights_only=True)['meta']
    assert meta['gloss_vocab'] == GLOSSES
    aliases = Config.fromstring(meta['cfg'], '.py').model.vocab.aliases
    assert aliases['sonnig'] == 'SONNE'
    command[3] = narrow['vocab']
    assert run_tool(command) == 2
    assert 'a pickle in --vocab' in capsys.readouterr().err


def test_a_backbone_serves_a_new_network(narrow, tmp_path, capsys):
    dst, back = str(tmp_path / 's3d.pth'), str(tmp_path / 'published.pth')
    command = [narrow['theirs'], dst, '--backbone', 'keypoint']
    assert run_tool(command) == 0
    assert 'not part of the keypoint backbone' in capsys.readouterr().out
    ours = state_of(narrow['ours'])
    s3d = MODELS.build(dict(type='S3D', in_channels=79, width=0.125, pretrained=dst))
    s3d.init_weights()
    prefix = 'keypoint.backbone.'
    expected = {n[len(prefix) :]: v for n, v in ours.items() if n.startswith(prefix)}
    assert_equal(s3d.state_dict(), expected)
    # As the Kinetics weights are published: flat, with a classifier.
    assert run_tool([dst, back, '--reverse']) == 0
    published = torch.load(back, weights_only=True)
    assert set(list(published)[0].split('.')[:2]) == {'module', 'base'}
    again, classifier = str(tmp_path / 'again.pth'), torch.ones(400, 1)
    torch.save(published | {'module.fc.0.weight': classifier}, back)
    assert run_tool([back, again]) == 0
    assert_equal(state_of(again), expected)
    assert 'not used: fc.0.weight (the classifier' in capsys.readouterr().out
    assert run_tool([back, again, '--vocab', narrow['vocab']]) == 2
    assert run_tool([back, again, '--backbone', 'video']) == 2
    assert run_tool([narrow['ours'], back, '--reverse', '--backbone', 'video']) == 0
    assert len(torch.load(back, weights_only=True)) == len(published)


# Rows of their gloss table: the language in the middle, glosses of its own.
GLOSS_ROWS = """
<s> <pad> </s> <unk> nord regen x de_DGS sonne y z w
"""


@pytest.fixture
def translator(narrow, tmp_path):
    """The authors' file of a translator trained from features: no backbones."""
    recognition = {
        name: value
        for name, value in state_of(narrow['theirs'], 'model_state').items()
        if '.visual_backbone' not in name
    }
    path = tmp_path / 'translator.ckpt'
    torch.save(dict(model_state=recognition | golden_slt_weights()), path)
    rows = tmp_path / 'rows.txt'
    rows.write_text('\n'.join(GLOSS_ROWS.split()) + '\n')
    return [str(path), '--vocab', narrow['vocab'], '--gloss-rows', str(rows)]


def test_translators_there_and_back(narrow, translator, tmp_path, capsys):
    source, *options = translator
    dst, mbart, back = (str(tmp_path / f'{name}.pth') for name in ('a', 'b', 'c'))
    options += ['--output', 'joint', '--gloss-language', 'de_DGS']
    options += ['--recognizer', narrow['theirs'], '--translation-output', mbart]
    assert run_tool([source, dst, *options]) == 0
    printed = capsys.readouterr().out
    for name in 'xyzw':
        assert f'of the gloss embedding ({name})' in printed
    state = state_of(dst)
    prefix = 'translation.joint.'
    head = {n[len(prefix) :]: v for n, v in state.items() if n.startswith(prefix)}
    recognizer = {
        n.removeprefix('recognizer.'): v for n, v in state.items() if prefix not in n
    }
    assert_equal(recognizer, state_of(narrow['ours']))
    alone = state_of(mbart)
    assert_equal(alone, {n: v for n, v in head.items() if n.startswith('mbart.')})
    assert run_tool([dst, back, '--reverse']) == 0
    again = state_of(back, 'model_state')
    theirs = state_of(narrow['theirs'], 'model_state') | state_of(source, 'model_state')
    assert_equal(again, theirs)


@pytest.mark.skipif(
    MODELS.get('SignTranslator') is None, reason='there is no SignTranslator to test'
)
def test_translators_are_tested(narrow, tmp_path, run_test, capsys):
    config, source, dst = (str(tmp_path / name) for name in ('t.py', 'a', 'b.pth'))
    cfg = Config.fromfile(narrow['config'])
    recognizer = cfg.model.to_dict()
    vocab = recognizer.pop('vocab')
    cfg.model = dict(
        type='SignTranslator',
        vocab=vocab,
        recognizer=recognizer,
        translation=dict(joint=dict(mbart=mbart_config(beam_width=2))),
    )
    cfg.dump(config)
    cfg.model.vocab = dict(glosses=GLOSSES)
    torch.manual_seed(0)
    network = MODELS.build(cfg.model)
    head = to_slrt_translation(network.translation['joint'].state_dict())
    torch.save(dict(model_state=head), source)
    rows = write_vocabulary(
        tmp_path / 'rows.txt', ['<s>', '<pad>', '</s>', '<unk>', *GLOSSES, 'gls']
    )
    options = ['--vocab', narrow['vocab'], '--gloss-rows', rows, '--config', config]
    options += ['--recognizer', narrow['theirs'], '--output', 'joint']
    assert run_tool([source, dst, *options]) == 0
    assert '0 not filled' in capsys.readouterr().out
    expected = dict(network.state_dict())
    for name, value in state_of(narrow['ours']).items():
        expected[f'recognizer.{name}'] = value
    assert_equal(state_of(dst), expected)
    metrics, _ = run_test(config, dst)
    assert {'video/WER', 'keypoint/WER', 'joint/WER'} < set(metrics)
    # Without the recognizer there is no backbone.
    assert run_tool([source, dst, *options[:6], *options[8:]]) == 2
    assert 'recognizer.video.backbone' in capsys.readouterr().err


def test_translators_need_their_numberings(narrow, translator, tmp_path, capsys):
    dst, source = str(tmp_path / 'dst.pth'), translator[0]
    for arguments, message in (
        (translator[1:3], 'pass --gloss-rows with the gloss2ids.pkl'),
        (translator[1:], 'neither special tokens nor glosses (x, de_DGS'),
        ([*translator[1:], '--gloss-language', 'x'], 'pass --output {video,keypoint'),
    ):
        assert run_tool([source, dst, *arguments]) == 2
        assert message in capsys.readouterr().err
    # What belongs to translation is refused where there is none.
    command = [narrow['theirs'], dst, '--vocab', narrow['vocab'], '--output', 'joint']
    assert run_tool(command) == 2
    assert 'has no translation network: leave out --output' in capsys.readouterr().err


def test_pretrained_mbarts_there_and_back(translator, tmp_path, capsys):
    source, dst, back = (str(tmp_path / f'{name}.pth') for name in 'abc')
    weights = {n: v for n, v in golden_slt_weights().items() if 'mapper' not in n}
    torch.save(dict(model_state=weights), source)
    options = [*translator[1:], '--gloss-language', 'de_DGS']
    assert run_tool([source, dst, *options]) == 0
    assert all(name.startswith('mbart.') for name in state_of(dst))
    assert run_tool([dst, back, '--reverse']) == 0
    assert_equal(state_of(back, 'model_state'), weights)
    assert run_tool([source, dst, *options, '--output', 'video']) == 2
    assert 'is an mBART alone' in capsys.readouterr().err


def test_mistakes_end_in_one_sentence(narrow, tmp_path, capsys):
    dst = str(tmp_path / 'dst.pth')
    vocab = ['--vocab', narrow['vocab']]
    for arguments, message in (
        (['gone.pth', dst, *vocab], 'checkpoint gone.pth does not exist'),
        ([narrow['ours'], dst, *vocab], "mmsign's own are converted with --reverse"),
        ([narrow['vocab'], dst, *vocab], 'cannot be read as a checkpoint'),
        ([narrow['ours'], narrow['ours'], '--reverse'], 'is the input'),
        ([narrow['theirs'], dst, '--vocab', 'gone.txt'], 'gone.txt does not exist'),
        ([narrow['theirs'], dst, '--reverse'], "authors' network has no place for"),
    ):
        assert run_tool(arguments) == 2
        assert message in capsys.readouterr().err
    for arguments in (
        ['--reverse', *vocab],
        ['--data-root', 'x'],
        ['--write-config', 'x.py', *vocab],
    ):
        with pytest.raises(SystemExit):
            convert.parse_args([narrow['theirs'], dst, *arguments])


@FULL_SIZE
@pytest.mark.parametrize(
    ('kind', 'config', 'outputs'),
    [
        ('rgb', 'video_slr_phoenix', dict(video='gloss_logits')),
        ('kp', 'keypoint_slr_phoenix', dict(keypoint='gloss_logits')),
        (
            'two',
            'twostream_slr_phoenix',
            dict(
                video='rgb_gloss_logits',
                keypoint='keypoint_gloss_logits',
                joint='fuse_gloss_logits',
            ),
        ),
    ],
)
def test_published_networks(kind, config, outputs, tmp_path, monkeypatch, run_test):
    source, dst, back = (str(tmp_path / name) for name in ('src', 'dst.pth', 'back'))
    torch.save(dict(model_state=slrt_state(kind)), source)
    vocab = write_vocabulary(tmp_path / 'v.txt', [f'g{i}' for i in range(1, 1235)])
    config = str(CONFIGS / f'{config}.py')
    assert run_tool([source, dst, '--config', config, '--vocab', vocab]) == 0
    assert run_tool([dst, back, '--reverse']) == 0
    assert_equal(state_of(back, 'model_state'), slrt_state(kind))
    inputs, expected = golden_inputs(kind)

    def golden_batch(self, data, training=False):
        assert [sample.length for sample in data['data_samples']] == [16, 16]
        return dict(inputs=inputs, data_samples=data['data_samples'])

    monkeypatch.setattr(SignDataPreprocessor, 'forward', golden_batch)
    logits = run_test(config, dst)[1]['logits']
    assert set(logits) == set(outputs) | {'average', 'lengths'}
    for ours, theirs in outputs.items():
        golden = torch.from_numpy(expected[theirs])
        assert (logits[ours] - golden).abs().max() < 1e-4 * golden.abs().max()
