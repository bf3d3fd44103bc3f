import pytest
import torch
from peer_files import PeerFile, peer_files, peer_state

from mmsign.errors import ConfigError, DataError
from mmsign.interop.vac_checkpoint import convert_vac
from mmsign.models import PathwayTemporalHead, TemporalConvLSTMHead
from mmsign.models.layers.sequence import ClipLengths

DISTILLATION = dict(type='TemperatureDistillationLoss', loss_weight=25.0)
KINDS = {
    'vac_head': dict(),
    'vac_head_linear': dict(classifier='linear', share_classifier=False),
    'sfs_head': dict(),
}
FILES = [(what, path) for what in KINDS for path in peer_files(what)]


def as_published(what: str, file: PeerFile) -> tuple[TemporalConvLSTMHead, dict]:
    """Without dropout, padding counted; and the published name of each of ours."""
    settings = dict(dropout=0.0, count_padding=True, distillation=DISTILLATION)
    settings |= KINDS[what]
    sizes = int(file.expected['input_shape'][1]), int(file.expected['num_classes'])
    if what == 'sfs_head':
        pathways = dict(slow=2048, fast=256)
        head = PathwayTemporalHead(*sizes, pathways=pathways, **settings)
    else:
        head = TemporalConvLSTMHead(*sizes, **settings)
    converted = convert_vac(peer_state(what, file.seed))
    names = {k.removeprefix('video.head.'): v for k, v in converted.sources.items()}
    tensors = {k.removeprefix('video.head.'): v for k, v in converted.tensors.items()}
    head.load_state_dict(tensors, strict=True)
    return head, names


@pytest.mark.slow
@pytest.mark.parametrize(('what', 'path'), FILES, ids=lambda x: getattr(x, 'stem', x))
def test_agrees_with_the_published_head(what, path):
    file = PeerFile(path)
    expected = file.expected
    head, names = as_published(what, file)
    for training in (False, True):
        x = file.inputs().transpose(1, 2)
        total = file.check_head(head.train(training), x)
    total.backward()
    for name, parameter in head.named_parameters():
        key = f'grad_norm/{names[name]}'
        if key not in expected:
            key = key.replace('classifier', 'conv1d.fc')
        # A bias before a batch norm has a gradient of 0.
        if key in expected:
            file.check(key, parameter.grad.norm())
    for name, value in head.state_dict().items():
        if f'train_{names.get(name)}' in expected:
            file.check(f'train_{names[name]}', value)


def narrow(**changes) -> TemporalConvLSTMHead:
    torch.manual_seed(0)
    settings = dict(hidden_channels=8, dropout=0.0, distillation=DISTILLATION)
    return TemporalConvLSTMHead(3, 5, **(settings | changes))


def padded_batch(*frames: int) -> tuple[torch.Tensor, ClipLengths]:
    """Features of clips, of random numbers behind their ends, with held ends."""
    torch.manual_seed(1)
    longest = max(frames)
    x = torch.randn(len(frames), longest, 3)
    return x[:, [0] * 6 + [*range(longest)] + [-1] * 6], ClipLengths(frames, longest)


@pytest.mark.parametrize(
    ('layers', 'stride', 'edge'),
    [
        ('K5P2K5P2', 4, 6),
        ('K3', 1, 1),
        ('K5P2', 2, 2),
        ('K5P2K5', 2, 6),
        ('P2K3', 2, 2),
    ],
)
def test_a_step_sees_the_frames_about_its_own(layers, stride, edge):
    head = narrow(layers=layers).eval()
    assert (head.time_stride, head.edge) == (stride, edge)
    frames = 3 * stride
    for row in range(frames + 2 * edge):
        x = torch.zeros(1, frames + 2 * edge, 3)
        plain = head(x).auxiliary['convolution']
        x[0, row] = 100 * torch.randn(3)
        reached = (head(x).auxiliary['convolution'] != plain).any(-1)[0]
        for step, is_reached in enumerate(reached.tolist()):
            first = step * stride
            if is_reached:
                assert first <= row < first + stride + 2 * edge


def test_what_a_clip_is_batched_with_does_not_matter():
    x, lengths = padded_batch(24, 12)
    head = narrow().eval()
    together = head.classify(x, lengths)
    alone = head.classify(x[1:, :24], ClipLengths([12], 12))
    for both, one in (
        (together.logits, alone.logits),
        (together.auxiliary['convolution'], alone.auxiliary['convolution']),
        (together.features, alone.features),
    ):
        torch.testing.assert_close(both[1:, :3], one)
    assert not together.features[1, 3:].any()


@pytest.mark.parametrize('counted', [False, True])
def test_padding_counts_in_training_only_if_asked_for(counted):
    results = []
    for filling in (0.0, 5.0):
        x, lengths = padded_batch(24, 12)
        x[1, 24:] = filling
        head = narrow(count_padding=counted).train()
        output = head.classify(x, lengths)
        (term,) = head.distill(output, lengths).values()
        results.append([term.detach(), output.logits[1, :3].detach()])
        results[-1] += [norm.running_mean.clone() for norm in head.norms]
    alike = [torch.allclose(a, b, atol=1e-6) for a, b in zip(*results)]
    assert alike == [not counted] * len(alike)


def test_classifiers_are_shared_or_not():
    x, _ = padded_batch(16)
    for classifier in ('normalised', 'linear', 'factored'):
        head = narrow(classifier=classifier, share_classifier=False).eval()
        before = head(x)
        head.classifier.weight.data += torch.randn(5, 8)
        after = head(x)
        assert not torch.equal(before.logits, after.logits)
        assert torch.equal(*(o.auxiliary['convolution'] for o in (before, after)))
    assert narrow().convolution_classifier is None


def test_pathways_are_heard_in_training_alone():
    x, lengths = padded_batch(16, 12)
    torch.manual_seed(0)
    settings = dict(hidden_channels=8, dropout=0.0, distillation=DISTILLATION)
    head = PathwayTemporalHead(3, 5, pathways=dict(slow=2, fast=1), **settings)
    output = head.classify(x, lengths)
    names = ['convolution']
    names += ['slow', 'slow_convolution', 'fast', 'fast_convolution']
    assert list(output.auxiliary) == names
    assert [head.auxiliary_weights[n] for n in names] == [1.0] + [0.25] * 4
    assert len(head.distill(output, lengths)) == 3
    torch.testing.assert_close(
        output.auxiliary['fast'],
        head.pathways['fast'].classify(x[..., 2:], lengths).logits,
    )
    output = head.eval().classify(x, lengths)
    assert list(output.auxiliary) == ['convolution']
    assert len(head.distill(output, lengths)) == 1


@pytest.mark.parametrize('layers', ['', 'K4P2', 'P2', 'K5Q2', 'K5P0', 'K0', 'K5 P2'])
def test_layers_that_are_none_are_refused(layers):
    with pytest.raises(ConfigError, match='K5P2K5P2'):
        narrow(layers=layers)


def test_what_does_not_go_together_is_refused():
    with pytest.raises(ConfigError, match="classifier='cosine'"):
        narrow(classifier='cosine')
    with pytest.raises(ConfigError, match='even, not 7'):
        narrow(hidden_channels=7)
    with pytest.raises(ConfigError, match='pathways'):
        PathwayTemporalHead(3, 5, pathways=dict(slow=2))


def test_a_clip_that_is_shorter_than_the_head_sees_is_refused():
    with pytest.raises(DataError, match='15 frames.* 16 that'):
        narrow()(torch.zeros(1, 15, 3))
    assert narrow()(torch.zeros(1, 16, 3)).logits.shape == (1, 1, 5)
