"""Sentences made of single signs, so that a dictionary can train a recognizer.

Symbols: T frames after sampling, S side of a frame in pixels, K keypoints, n frames
of a joint.
"""

import os
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from mmengine.dataset import BaseDataset, Compose
from torch.utils.data import Dataset

from mmsign.errors import ConfigError, DataError
from mmsign.files import read_lines
from mmsign.registry import DATASETS, TRANSFORMS


@DATASETS.register_module()
class SplicedSigns(Dataset):
    """A training split in which a clip of one sign goes on with others of its signer.

    Item i begins with clip i, so that an epoch shows each once. Clips of the same
    signer follow until there are as many signs as were drawn, or as the grammar's
    sentence goes on; between two the hands move over in a straight line, or come to
    rest where the corpus has clips without a gloss (idle ones) of that signer. Clips
    of several glosses stay as they are. Nothing of this is a real sentence: signs do
    not influence their neighbours as they do in signing.

    Of training alone: a test on spliced clips would tell nothing about signing.

    Args:
        dataset: Config of a ``SignDataset`` of the training split; its pipeline ends
            before anything is packed: sampled, decoded, cropped and resized.
        pipeline: Transforms behind the splice, PackClip last.
        signs: Fewest and most signs of a sentence, drawn evenly.
        grammar: File with the sentences that may be made, a line each, glosses with
            spaces between them; a clip begins one of those that begin with its
            gloss, or else stays alone. None joins signs in any order.
        rest: Probability that a joint is a rest, where the signer has idle clips.
        frames: Fewest and most frames n of a joint.
        max_length: No sign is added beyond so many frames.

    Raises:
        ConfigError: If the dataset is not of a training split.
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
        self.dataset: BaseDataset = DATASETS.build(dataset)
        if self.dataset.test_mode or self.dataset.split != 'train':
            raise ConfigError(
                'SplicedSigns is for training: a result on spliced clips would tell '
                f'nothing about signing; the dataset is of {self.dataset.split!r}'
            )
        self.pipeline = Compose([TRANSFORMS.build(step) for step in pipeline])
        self.signs, self.frames = tuple(signs), tuple(frames)
        self.rest, self.max_length = rest, max_length
        self.grammar = None if grammar is None else _read_grammar(grammar)
        self._clips: dict[tuple[str, str], list[int]] | None = None

    # What samplers and hooks ask of a dataset -----------------------------

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
        parts = [self._read(index)]
        glosses = list(parts[0]['glosses'])
        if len(glosses) == 1:
            signer = parts[0]['signer']
            length = len(parts[0]['frame_indices'])
            for gloss in self._continuation(signer, glosses[0]):
                part = self._read(self._draw(signer, gloss))
                joint = self._joint(parts[-1], part, signer)
                length += sum(len(x['frame_indices']) for x in (*joint, part))
                if length > self.max_length:
                    break
                parts += [*joint, part]
                glosses.append(gloss)
        if len(parts) > 1:
            parts = [_joined(parts) | dict(glosses=glosses, text=None)]
        return self.pipeline(parts[0])

    def _read(self, index: int) -> dict:
        return self.dataset[index]

    def _by_gloss(self) -> dict[tuple[str, str], list[int]]:
        """Signer and gloss → the clips that show just this; '' for none."""
        if self._clips is None:
            self._clips = defaultdict(list)
            for index in range(len(self.dataset)):
                info = self.dataset.get_data_info(index)
                if len(info['glosses']) <= 1:
                    gloss = ''.join(info['glosses'])
                    self._clips[info['signer'], gloss].append(index)
        return self._clips

    def _draw(self, signer: str, gloss: str) -> int:
        return int(np.random.choice(self._by_gloss()[signer, gloss]))

    def _continuation(self, signer: str, gloss: str) -> list[str]:
        """The glosses behind the first."""
        clips = self._by_gloss()
        known = sorted(g for s, g in clips if s == signer and g)
        if self.grammar is None:
            count = np.random.randint(self.signs[0], self.signs[1] + 1)
            return [known[i] for i in np.random.randint(len(known), size=count - 1)]
        fitting = [s[1:] for s in self.grammar if s[0] == gloss and {*s} <= {*known}]
        return fitting[np.random.randint(len(fitting))] if fitting else []

    def _joint(self, before: dict, behind: dict, signer: str) -> list[dict]:
        count = np.random.randint(self.frames[0], self.frames[1] + 1)
        if not self._by_gloss().get((signer, '')) or np.random.uniform() >= self.rest:
            return [_movement(before, behind, count)]
        idle = self._read(self._draw(signer, ''))
        length = len(idle['frame_indices'])
        start = np.random.randint(max(1, length - count + 1))
        idle = _span(idle, start, start + count)
        short = self.frames[0]
        return [_movement(before, idle, short), idle, _movement(idle, behind, short)]


def _read_grammar(path: str) -> list[list[str]]:
    sentences = [line.split() for line in read_lines(os.fspath(path)) if line.strip()]
    if not sentences:
        raise DataError(f'{path}: no sentence of glosses')
    return sentences


_PER_FRAME = ('frame_indices', 'keypoints', 'frames')


def _arrays(results: dict) -> dict[str, np.ndarray]:
    """What has an entry per frame; ``frames`` is a path where none were decoded."""
    found = {key: results[key] for key in _PER_FRAME if key in results}
    return {key: x for key, x in found.items() if not isinstance(x, str)}


def _span(results: dict, start: int, end: int) -> dict:
    return results | {key: x[start:end] for key, x in _arrays(results).items()}


def _in_box(results: dict, box: tuple[float, ...]) -> np.ndarray:
    """Keypoints (T, K, 3) as if their crop box were another."""
    points = results['keypoints'].copy()
    x0, y0, width, height = results['crop_box']
    scale = np.array([box[2] / width, box[3] / height])
    moved = (points[..., :2] + 0.5 - (x0, y0)) * scale + box[:2] - 0.5
    # What was not found stays where nobody looks.
    points[..., :2] = np.where(points[..., 2:] > 0, moved, points[..., :2])
    return points


def _movement(before: dict, behind: dict, count: int) -> dict:
    """n frames from a clip's last to another's first.

    Keypoints found in both move in a straight line; others stay as in the nearer of
    the two, as frames do.
    """
    joint = {}
    near = np.arange(count) >= count // 2
    for key in _arrays(before):
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
        dict(_arrays(part), keypoints=_in_box(part, box))
        if 'keypoints' in part
        else _arrays(part)
        for part in parts
    ]
    joined = {key: np.concatenate([x[key] for x in arrays]) for key in arrays[0]}
    count = len(joined['frame_indices'])
    return first | joined | dict(frame_indices=np.arange(count), num_frames=count)
