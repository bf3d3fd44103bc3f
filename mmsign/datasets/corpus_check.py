"""Look a corpus over before hours are spent on it.

Frames and keypoints are opened by the functions that training and testing open them
with (``transforms.load``), so that what would end those is found here.

Symbols: N frames of a clip at the corpus's rate.
"""

from __future__ import annotations

import os
import statistics
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from mmsign.errors import ConfigError, DataError, FrameReadError
from mmsign.keypoints import misplaced
from mmsign.vocab import GlossVocabulary, is_feasible

from .io.frame_sources import FrameSource
from .io.frame_times import frame_duration, is_steady
from .io.keypoint_file import KeypointFile, open_keypoints
from .sign_dataset import SignDataset
from .transforms.load import at_corpus_rate, open_source, read_points

# Frames per step of the network's output: of what CTC can spell.
_STRIDE = 4


@dataclass
class SplitReport:
    """What was found of one split.

    Attributes:
        clips: Number of clips.
        signers: Distinct signers.
        counts: How often each gloss occurs.
        unseen: The glosses, with counts, that the training split lacks.
        gloss_lengths: Glosses of each clip.
        lengths: N of each clip for which it is known: from the frames, else the
            keypoints, else the annotations.
        sizes: (width, height) of the frames, with counts of clips.
        rates: Frames per second of videos, ``variable`` or a number, with counts.
        problems: What training or testing would stumble over, by kind: a line for
            each clip.
        remarks: What is unusual, likewise.
    """

    clips: int = 0
    signers: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    unseen: Counter[str] = field(default_factory=Counter)
    gloss_lengths: list[int] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    rates: Counter[str] = field(default_factory=Counter)
    problems: dict[str, list[str]] = field(default_factory=dict)
    remarks: dict[str, list[str]] = field(default_factory=dict)

    def add_problem(self, title: str, *parts: object) -> None:
        """Note what a clip is to stumble over."""
        text = ': '.join(map(str, parts)).removeprefix('clip ')
        self.problems.setdefault(title, []).append(text)

    def add_remark(self, title: str, *parts: object) -> None:
        """Note what is unusual about a clip."""
        self.remarks.setdefault(title, []).append(': '.join(map(str, parts)))


@dataclass
class CorpusReport:
    """What was found of a corpus.

    Attributes:
        files: Annotation files that are expected, and whether each is there.
        errors: Why splits could not be read, and what concerns several.
        splits: By name, those that could.
        vocabulary: Of the training split, if it could be read.
        keypoint_file: The one that was looked into.
    """

    files: dict[str, bool] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    splits: dict[str, SplitReport] = field(default_factory=dict)
    vocabulary: GlossVocabulary | None = None
    keypoint_file: str | None = None

    @property
    def complete(self) -> bool:
        """Whether nothing is missing that training and testing need."""
        return not self.errors and not any(s.problems for s in self.splits.values())


def check_corpus(
    dataset: type[SignDataset],
    data_root: str,
    keypoint_file: str | None = None,
    look_at_frames: bool = True,
    decode: bool = True,
    max_length: int = 400,
    progress: Callable[[str], None] = lambda line: None,
    **options,
) -> CorpusReport:
    """Read all annotations and look for the frames and keypoints of every clip.

    Nothing is written.

    Args:
        dataset: Class of the corpus.
        data_root, keypoint_file, **options: As the class takes them.
        look_at_frames: Whether to look for frames at all.
        decode: Whether to decode every one, which finds those that are damaged; else
            only those of videos, to count them.
        max_length: The most frames that the pipeline takes of a clip.
        progress: Is told every now and then how far it is.
    """
    report = CorpusReport()
    for split in dataset.SPLITS:
        ann_file = options.get('ann_file')
        for path in dataset.annotation_files(data_root, split, ann_file):
            report.files[path] = os.path.isfile(path)
    if keypoint_file:
        report.keypoint_file = os.path.join(data_root, keypoint_file)
        try:
            _ = KeypointFile(report.keypoint_file).clip_ids
        except (FileNotFoundError, DataError) as error:
            report.errors.append(str(error))
            keypoint_file = None
    owners: dict[str, str] = {}
    for split in dataset.SPLITS:
        try:
            clips = dataset(data_root, split, keypoint_file, **options)
        except (FileNotFoundError, DataError, ConfigError) as error:
            # A broken manifest is broken for every split.
            if str(error) not in report.errors:
                report.errors.append(str(error))
            continue
        infos = [clips.get_data_info(index) for index in range(len(clips))]
        found = report.splits[split] = SplitReport()
        for number, info in enumerate(infos, 1):
            length = _look_at_annotation(info, found, owners)
            if look_at_frames or keypoint_file:
                length = _look_at_files(info, found, look_at_frames, decode) or length
            if length:
                _look_at_length(info, length, found, max_length)
            if number % 500 == 0:
                progress(f'{split}: {number} of {len(infos)} clips')
        if not found.counts:
            found.add_problem('NO GLOSS in any clip', f'the {split} split')
        owners.update((info['clip_id'], split) for info in infos)
    _compare(report, options.get('fps') or dataset.FPS)
    return report


def _look_at_annotation(
    info: dict, split: SplitReport, owners: Mapping[str, str]
) -> int | None:
    """A clip's announced frames; ``owners`` has the clips of other splits."""
    clip_id, glosses = info['clip_id'], info['glosses']
    split.clips += 1
    split.signers.add(info['signer'])
    split.counts.update(glosses)
    split.gloss_lengths.append(len(glosses))
    if clip_id in owners:
        split.add_problem('IN ANOTHER SPLIT too', clip_id, owners[clip_id])
    if not glosses:
        split.add_remark('without a gloss', clip_id)
    if info['num_frames'] == 0:
        split.add_problem('LENGTH 0 in the annotation', clip_id)
    return info['num_frames']


def _look_at_files(
    info: dict, split: SplitReport, look_at_frames: bool, decode: bool
) -> int | None:
    """Open a clip as the loaders do; N, if it can be told."""
    source = points = None
    if look_at_frames:
        try:
            source = open_source(info)
            _look_at_frames(source, info, split, decode)
        except FrameReadError as error:
            split.add_problem('MISSING frames', error)
    if info['keypoint_file'] is not None:
        try:
            points = read_points(info, source)
            odd = misplaced(points, source.source_size) if source is not None else ''
            if odd:
                split.add_problem('KEYPOINTS of another frame', info['clip_id'], odd)
        except DataError as error:
            there = info['clip_id'] in open_keypoints(info['keypoint_file'])
            missing = 'KEYPOINTS that do not fit' if there else 'MISSING keypoints'
            split.add_problem(missing, error)
    if source is not None:
        chosen = at_corpus_rate(info, source)
        return len(source if chosen is None else chosen)
    return None if points is None else len(points)


def _look_at_frames(
    source: FrameSource, info: dict, split: SplitReport, decode: bool
) -> None:
    clip_id, announced, found = info['clip_id'], info['num_frames'], len(source)
    split.sizes[source.source_size] += 1
    differs = f'{found} frames, {announced} announced'
    if announced and found < announced:
        split.add_problem('FEWER frames than announced', clip_id, differs)
    elif announced and found > announced:
        split.add_remark('more frames than announced', clip_id, differs)
    for notice in source.notices:
        split.add_problem('DOUBTFUL frames', clip_id, notice)
    if source.left_out:
        split.add_remark('files that are no frames', clip_id, source.left_out)
    for notice in source.time_notices:
        split.add_remark('unusual times of frames', clip_id, notice)
    if source.times is not None and found > 1:
        steady = is_steady(source.times)
        rate = f'{1 / frame_duration(source.times):.4g}' if steady else 'variable'
        split.rates[rate] += 1
    try:
        for _ in source.stream(np.arange(found if decode else 0)):
            pass
    except FrameReadError as error:
        split.add_problem('BROKEN frames', clip_id, error)


def _look_at_length(
    info: dict, length: int, split: SplitReport, max_length: int
) -> None:
    clip_id, glosses = info['clip_id'], info['glosses']
    split.lengths.append(length)
    if length > max_length:
        title = f'longer than the {max_length} frames that are taken'
        split.add_remark(title, clip_id, f'{length} frames')
    if not is_feasible(glosses, max(length, _STRIDE) // _STRIDE):
        counts = f'{length} frames, {len(glosses)} glosses'
        split.add_remark('too short for CTC to spell their glosses', clip_id, counts)


def _compare(report: CorpusReport, fps: float | None) -> None:
    """What concerns several splits."""
    rates = sum((split.rates for split in report.splits.values()), Counter())
    if fps is None and len(rates) > 1:
        report.errors.append(
            f'clips of different frame rates ({_counted(rates)}): name one, fps=25 '
            'say, that all are brought to'
        )
    training = report.splits.get('train')
    if training is None:
        return
    try:
        report.vocabulary = GlossVocabulary.from_sentences([training.counts])
    except DataError as error:
        report.errors.append(f'the glosses of the training split: {error}')
    for split in report.splits.values():
        for gloss in split.counts.keys() - training.counts.keys():
            split.unseen[gloss] = split.counts[gloss]


def describe(report: CorpusReport) -> str:
    """The report as text for a terminal."""
    lines = ['annotations']
    for path, there in report.files.items():
        lines.append(f'  {"found  " if there else "MISSING"}  {path}')
    for name, split in report.splits.items():
        lines += _describe_split(name, split)
    if report.vocabulary is not None:
        lines.append(
            f'vocabulary: {len(report.vocabulary.glosses)} glosses, '
            f'{len(report.vocabulary)} classes with the blank'
        )
    if report.keypoint_file is None:
        lines.append('keypoints: not looked at (--keypoint-file FILE)')
    lines += [f'ERROR: {error}' for error in report.errors]
    lines.append(
        'complete' if report.complete else 'NOT complete: see the lines in capitals'
    )
    return '\n'.join(lines)


def _describe_split(name: str, split: SplitReport) -> list[str]:
    total = sum(split.gloss_lengths)
    lines = [
        f'{name}: {split.clips} clips, {total} glosses, {len(split.counts)} different, '
        f'{len(split.signers)} signers',
        f'  glosses per clip: {_spread(split.gloss_lengths)}',
    ]
    if split.lengths:
        lines.append(f'  frames per clip:  {_spread(split.lengths)}')
        lines.append(f'  frames in all:    {sum(split.lengths)}')
    if split.sizes:
        sizes = {f'{w}×{h}': count for (w, h), count in split.sizes.items()}
        lines.append(f'  pixels of frames: {_counted(sizes)}')
    if split.rates:
        lines.append(f'  frames per second of videos: {_counted(split.rates)}')
    if split.unseen:
        most = ', '.join(gloss for gloss, _ in split.unseen.most_common(5))
        lines.append(
            f'  unseen in training: {len(split.unseen)} glosses, '
            f'{split.unseen.total()} times ({most})'
        )
    for title, clips in (split.problems | split.remarks).items():
        lines.append(f'  {title}: {len(clips)} clips, the first: {clips[0]}')
    return lines


def _counted(counts: Mapping[str, int]) -> str:
    most = Counter(counts).most_common(4)
    rest = len(counts) - len(most)
    shown = ', '.join(f'{name} ({count} clips)' for name, count in most)
    return shown + (f' and {rest} more' if rest else '')


def _spread(values: list[int]) -> str:
    return (
        f'min {min(values)}, median {statistics.median(values):g}, '
        f'mean {statistics.fmean(values):.1f}, max {max(values)}'
    )
