"""Sentences made of single signs, so that a dictionary can train a recognizer.

Symbols: T frames after sampling, S side of a frame in pixels, K keypoints, n frames
of a joint.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from mmengine.dataset import Compose
from torch.utils.data import Dataset

from mmsign.errors import ConfigError, DataError
from mmsign.files import read_lines
from mmsign.notices import warn
from mmsign.registry import DATASETS, TRANSFORMS

from .sign_dataset import SignDataset
from .transforms.pack import PackClip
from .transforms.sample import per_frame


@DATASETS.register_module()
class SplicedSigns(Dataset):
    """A training split in which a clip of one sign goes on with others of its signer.

    Item i begins with clip i, so that an epoch shows each once. Clips of the same
    signer follow until there are as many signs as were drawn, or as the grammar's
    sentence goes on; between two the hands move over in a straight line, or come to
    rest where the corpus has clips without a gloss (idle ones) of that signer. Clips
    of several glosses, or none, stay as they are. Nothing of this is a real sentence:
    signs do not influence their neighbours as they do in signing.

    Of training alone: a test on spliced clips would tell nothing about signing. An
    item's data sample has the name, signer and crop box of its first clip.

    Args:
        dataset: Config of a ``SignDataset`` of the training split; its pipeline ends
            before anything is packed: sampled, decoded, cropped and resized to the
            size of all.
        pipeline: Transforms behind the splice, PackClip last.
        signs: Fewest and most signs of a sentence, drawn evenly; those of a grammar
            have their own number.
        grammar: File with the sentences that may be made, a line each, glosses with
            spaces between them; a clip begins one of those that begin with its
            gloss, or else stays alone. None joins signs in any order.
        rest: Probability that a joint is a rest, where the signer has idle clips.
        frames: Fewest and most frames n of a joint: of a movement, or of a rest, with
            a movement of the fewest on either side.
        max_length: No sign is added beyond so many frames; a grammar's sentence, too,
            ends there.

    Raises:
        ConfigError: If the dataset is not of a training split or packs its clips.
        DataError: If the grammar is empty.
    """

    def __init__(
        self,
        dataset: dict,
        pipeline: Sequence[dict],
        signs: tuple[int, int] = (1, 5),
        grammar: str | None = None,
        rest: float = 0.3,
        frames: tuple[int, int] = (3, 6),
        max_length: int = 400,
    ) -> None:
        if not (1 <= signs[0] <= signs[1] and 1 <= frames[0] <= frames[1]):
            raise ConfigError(
                'SplicedSigns: signs and frames are ranges 1 <= a <= b, not '
                f'{signs} and {frames}'
            )
        if not 0 <= rest <= 1:
            raise ConfigError(f'SplicedSigns: rest={rest} is no probability')
        self.dataset = DATASETS.build(dataset)
        if not isinstance(self.dataset, SignDataset):
            raise ConfigError(
                'SplicedSigns: expected a dataset of one corpus, not '
                f'{type(self.dataset).__name__}'
            )
        if self.dataset.test_mode or self.dataset.split != 'train':
            raise ConfigError(
                'SplicedSigns is for training: a result on spliced clips would tell '
                f'nothing about signing; the dataset is of {self.dataset.split!r}, '
                f'with test_mode={self.dataset.test_mode}'
            )
        before = self.dataset.pipeline.transforms
        if any(isinstance(step, PackClip) for step in before):
            raise ConfigError(
                'SplicedSigns: PackClip stands in the pipeline of its dataset; move it '
                'to the end of its own, behind the splice'
            )
        self._behind = Compose([TRANSFORMS.build(step) for step in pipeline])
        self.pipeline = Compose([*before, *self._behind.transforms])
        self.signs, self.frames = tuple(signs), tuple(frames)
        self.rest, self.max_length = rest, max_length
        self.grammar = None if grammar is None else _read_grammar(grammar)
        if '' in {signer for signer, _ in self._clips}:
            warn(
                'SplicedSigns: clips without the name of a signer are spliced as if '
                'they were of one; name the signers in the manifest'
            )

    # What samplers and hooks ask of a dataset -----------------------------
    # ``pipeline``, the steps before and behind the splice, is for them, too.

    @property
    def metainfo(self) -> dict:
        """The corpus'."""
        return self.dataset.metainfo

    def full_init(self) -> None:
        """Read the annotations."""
        self.dataset.full_init()

    def __len__(self) -> int:
        return len(self.dataset)

    def get_data_info(self, index: int) -> dict:
        """The record of the clip that an item begins with."""
        return self.dataset.get_data_info(index)

    def corpus_files(self) -> list[str]:
        """See ``SignDataset.corpus_files``."""
        return self.dataset.corpus_files()

    # Splicing --------------------------------------------------------------

    def __getitem__(self, index: int) -> dict:
        parts = [self.dataset[index]]
        glosses = list(parts[0]['glosses'])
        if len(glosses) == 1:
            signer = parts[0]['signer']
            length = len(parts[0]['frame_indices'])
            for gloss in self._continuation(signer, glosses[0]):
                part = self._draw(signer, gloss)
                joint = self._joint(parts[-1], part, signer)
                length += sum(len(x['frame_indices']) for x in (*joint, part))
                if length > self.max_length:
                    break
                parts += [*joint, part]
                glosses.append(gloss)
        if len(parts) > 1:
            parts = [_joined(parts) | dict(glosses=glosses, text=None)]
        return self._behind(parts[0])

    @cached_property
    def _clips(self) -> dict[tuple[str, str], list[int]]:
        """Signer and gloss → the clips that show just this; '' for none."""
        clips = defaultdict(list)
        for index in range(len(self.dataset)):
            info = self.dataset.get_data_info(index)
            if len(info['glosses']) <= 1:
                clips[info['signer'], ''.join(info['glosses'])].append(index)
        return dict(clips)

    def _draw(self, signer: str, gloss: str) -> dict:
        return self.dataset[int(np.random.choice(self._clips[signer, gloss]))]

    def _continuation(self, signer: str, gloss: str) -> list[str]:
        """The glosses behind the first."""
        known = sorted(g for s, g in self._clips if s == signer and g)
        if self.grammar is None:
            count = np.random.randint(self.signs[0], self.signs[1] + 1)
            return [known[i] for i in np.random.randint(len(known), size=count - 1)]
        fitting = [s[1:] for s in self.grammar if s[0] == gloss and {*s} <= {*known}]
        return fitting[np.random.randint(len(fitting))] if fitting else []

    def _joint(self, before: dict, behind: dict, signer: str) -> list[dict]:
        count = np.random.randint(self.frames[0], self.frames[1] + 1)
        if (signer, '') not in self._clips or np.random.uniform() >= self.rest:
            return [_movement(before, behind, count)]
        idle = self._draw(signer, '')
        length = len(idle['frame_indices'])
        start = np.random.randint(max(1, length - count + 1))
        idle = _span(idle, start, start + count)
        short = self.frames[0]
        return [_movement(before, idle, short), idle, _movement(idle, behind, short)]


def _read_grammar(path: str) -> list[list[str]]:
    sentences = [line.split() for line in read_lines(path) if line.strip()]
    if not sentences:
        raise DataError(f'{path}: no sentence of glosses; expected one a line')
    return sentences


def _span(results: dict, start: int, end: int) -> dict:
    return results | {key: x[start:end] for key, x in per_frame(results).items()}


def _in_box(results: dict, box: tuple[float, ...]) -> np.ndarray:
    """Keypoints (T, K, 3) at the same places of another crop box.

    Those that were not found as well: outside of one box is outside of the other.
    """
    points = results['keypoints'].copy()
    x0, y0, width, height = results['crop_box']
    scale = np.array([box[2] / width, box[3] / height])
    # Pixel centres lie at whole numbers, borders half a pixel away from them.
    points[..., :2] = (points[..., :2] + 0.5 - (x0, y0)) * scale + box[:2] - 0.5
    return points


def _movement(before: dict, behind: dict, count: int) -> dict:
    """n frames from a clip's last to another's first.

    Keypoints found in both move in a straight line; others stay as in the nearer of
    the two, as frames do.
    """
    joint = {}
    near = np.arange(count) >= count // 2
    for key in per_frame(before):
        if key == 'keypoints':
            box = before['crop_box']
            a, b = before[key][-1], _in_box(behind, box)[0]
            share = np.linspace(0, 1, count + 2, dtype=a.dtype)[1:-1, None, None]
            nearer = np.where(near[:, None, None], b, a)
            both = ((a[:, 2] > 0) & (b[:, 2] > 0))[:, None]
            joint[key] = np.where(both, a + (b - a) * share, nearer).astype(a.dtype)
        else:
            ends = np.stack([before[key][-1], behind[key][0]])
            joint[key] = ends[near.astype(int)]
    return before | joint


def _joined(parts: list[dict]) -> dict:
    """One clip of several, in the crop box of the first."""
    first = parts[0]
    box = first['crop_box']
    arrays = [
        per_frame(part)
        | ({'keypoints': _in_box(part, box)} if 'keypoints' in part else {})
        for part in parts
    ]
    joined = {key: np.concatenate([x[key] for x in arrays]) for key in arrays[0]}
    count = len(joined['frame_indices'])
    return first | joined | dict(frame_indices=np.arange(count), num_frames=count)
