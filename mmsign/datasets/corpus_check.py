"""Look a corpus over before hours are spent on it.

Frames and keypoints are opened by the functions that training and testing open them
with (``transforms.load``), so that what would end those is found here.

Symbols: N frames of a clip at the corpus's rate.
"""

import os
import statistics
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from mmsign.errors import ConfigError, DataError, FrameReadError
from mmsign.keypoints import misplaced
from mmsign.vocab import GlossVocabulary, is_feasible, lookalikes

from .io.frame_sources import FrameSource
from .io.frame_times import frame_duration, is_steady
from .io.keypoint_file import KeypointFile
from .sign_dataset import SignDataset
from .signer_splits import notices_on_signers
from .transforms.load import at_corpus_rate, open_source, read_points, stated_size

_NO_DEVELOPMENT = (
    'no development split: training keeps its last checkpoint, which is the one to '
    'test; nothing tells which is best'
)
# Frames per step of the network's output: of what CTC can spell.
_STRIDE = 4
_OTHER, _ELSEWHERE = 'KEYPOINTS of another frame', 'keypoints outside the frame'


@dataclass
class SplitReport:
    """What was found of one split.

    Attributes:
        signers: Clips of each signer, under '' those that say none.
        counts: How often each gloss occurs.
        unseen: The glosses, with counts, that the training split lacks.
        gloss_lengths: Glosses of each clip.
        lengths: N of each clip for which it is known: from the frames, else the
            keypoints, else the annotations.
        sizes: (width, height) of the frames, with counts of clips.
        rates: Frames per second of videos, or as the manifest states them,
            ``variable`` or a number, with counts.
        problems: What training or testing would stumble over, by kind: a line for
            each clip.
        remarks: What is unusual, likewise.
    """

    signers: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    unseen: Counter[str] = field(default_factory=Counter)
    gloss_lengths: list[int] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    rates: Counter[str] = field(default_factory=Counter)
    problems: dict[str, list[str]] = field(default_factory=dict)
    remarks: dict[str, list[str]] = field(default_factory=dict)

    def note(self, title: str, *parts: object) -> None:
        """Note a clip: its problem if the title begins in capitals, or a remark."""
        notes = self.problems if title.split()[0].isupper() else self.remarks
        text = ': '.join(map(str, parts)).removeprefix('clip ')
        notes.setdefault(title, []).append(text)

    def look_at(self, info: dict, frames: bool, decode: bool, longest: int) -> None:
        """Look a clip over: its annotation, then its files.

        Args:
            info: A record of ``SignDataset``.
            frames, decode: Whether to look for its frames, and to decode them.
            longest: The most frames that the network takes.
        """
        clip_id, glosses = info['clip_id'], info['glosses']
        self.signers[info['signer']] += 1
        self.counts.update(glosses)
        self.gloss_lengths.append(len(glosses))
        if not glosses:
            self.note('without a gloss', clip_id)
        if info['num_frames'] == 0:
            self.note('LENGTH 0 in the annotation', clip_id)
        length = self.look_at_files(info, frames, decode) or info['num_frames']
        if not length:
            return
        self.lengths.append(length)
        if length > longest:
            title = f'longer than the {longest} frames that are taken'
            self.note(title, clip_id, f'{length} frames')
        if not is_feasible(glosses, max(length, _STRIDE) // _STRIDE):
            counts = f'{length} frames, {len(glosses)} glosses'
            self.note('too short for their glosses (CTC)', clip_id, counts)

    def look_at_files(self, info: dict, frames: bool, decode: bool) -> int | None:
        """Open a clip as the loaders do; N, if it can be told."""
        source = points = size = None
        if info['keypoint_file'] is not None and not info['frames']:
            size = stated_size(info)
        if size is not None:
            self.note('without a video, keypoints alone', info['clip_id'])
            self.sizes[size] += 1
        elif frames:
            try:
                source = open_source(info)
                self.look_at_frames(info, source, decode)
            except FrameReadError as error:
                self.note('MISSING frames', error)
        if info['keypoint_file'] is not None:
            try:
                points = read_points(info, source)
                if not points[..., 2].any():
                    self.note('without any keypoint that was found', info['clip_id'])
                size = size if source is None else source.source_size
                odd = '' if size is None else misplaced(points, size)
                if odd:
                    title = _ELSEWHERE if source is None else _OTHER
                    self.note(title, info['clip_id'], odd)
            except DataError as error:
                there = info['clip_id'] in KeypointFile.open(info['keypoint_file'])
                title = 'KEYPOINTS that do not fit' if there else 'MISSING keypoints'
                self.note(title, error)
        if source is not None:
            length, times = len(source), source.times
        elif points is not None:
            length, times = len(points), None
        else:
            return None
        if times is None and info.get('source_fps'):
            self.rates[f'{info["source_fps"]:.4g}'] += 1
        chosen = at_corpus_rate(info, length, times)
        return -(-(length if chosen is None else len(chosen)) // info['step'])

    def look_at_frames(self, info: dict, source: FrameSource, decode: bool) -> None:
        """Compare a clip's frames with its annotation, and decode them."""
        clip_id, found = info['clip_id'], len(source)
        announced = info['num_frames'] or found
        self.sizes[source.source_size] += 1
        if found != announced:
            title = 'FEWER' if found < announced else 'more'
            differs = f'{found} frames, {announced} announced'
            self.note(f'{title} frames than announced', clip_id, differs)
        for title, notices in (
            ('DOUBTFUL frames', source.notices),
            ('files that are no frames', filter(None, [source.left_out])),
            ('frames missing by their numbers', filter(None, [source.skipped])),
            ('unusual times of frames', source.time_notices),
        ):
            for notice in notices:
                self.note(title, clip_id, notice)
        if source.times is not None and found > 1:
            steady = is_steady(source.times)
            rate = f'{1 / frame_duration(source.times):.4g}' if steady else 'variable'
            self.rates[rate] += 1
        try:
            for _ in source.stream(np.arange(found if decode else 0)):
                pass
        except FrameReadError as error:
            self.note('BROKEN frames', clip_id, error)


@dataclass
class CorpusReport:
    """What was found of a corpus.

    Attributes:
        files: Annotation files that are expected, and whether each is there.
        errors: Why splits could not be read, and what concerns several.
        notices: What to know of the numbers that will be measured.
        splits: By name, those that could.
        vocabulary: Of the training split, if it could be read.
        keypoint_file: The one that was looked into.
    """

    files: dict[str, bool] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
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
    report, ann_file = CorpusReport(), options.get('ann_file')
    for split in dataset.SPLITS:
        paths = dataset.annotation_files(data_root, split, ann_file)
        report.files |= {path: os.path.isfile(path) for path in paths}
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
            # A corpus need not have clips to choose by.
            if split == 'dev' and not dataset.load_annotations(
                data_root, split, ann_file, options.get('signers')
            ):
                report.notices.append(_NO_DEVELOPMENT)
                continue
            clips = dataset(data_root, split, keypoint_file, **options)
        except (FileNotFoundError, DataError, ConfigError) as error:
            # A broken manifest is broken for every split.
            if str(error) not in report.errors:
                report.errors.append(str(error))
            continue
        found = report.splits[split] = SplitReport()
        for number, info in enumerate(map(clips.get_data_info, range(len(clips))), 1):
            owner = owners.setdefault(info['clip_id'], split)
            if owner != split:
                found.note('IN ANOTHER SPLIT too', info['clip_id'], owner)
            found.look_at(info, look_at_frames, decode, max_length)
            if number % 500 == 0:
                progress(f'{split}: {number} of {len(clips)} clips')
        # Of hands that rest below the picture some clips have more; not most of them.
        if len(found.remarks.get(_ELSEWHERE, ())) > len(clips) / 2:
            found.problems[_OTHER] = found.remarks.pop(_ELSEWHERE)
        if not found.counts:
            found.note('NO GLOSS in any clip', f'the {split} split')
    _compare(report, options.get('fps') or dataset.FPS)
    return report


def _compare(report: CorpusReport, fps: float | None) -> None:
    """What concerns several splits."""
    rates = sum((split.rates for split in report.splits.values()), Counter())
    if fps is None and len(rates) > 1:
        rates = _counted(rates)
        report.errors.append(f'several frame rates, {rates}: choose one, fps=25 say')
    training = report.splits.get('train')
    signers = {name: split.signers for name, split in report.splits.items()}
    report.notices += notices_on_signers(signers)
    names = dict(
        signers={name for counts in signers.values() for name in counts},
        glosses={gloss for split in report.splits.values() for gloss in split.counts},
    )
    for what, spelled in names.items():
        if alike := lookalikes(spelled):
            shown = _first([' and '.join(map(repr, group)) for group in alike])
            report.notices.append(
                f'{what} are spelled in several ways ({shown}): each spelling is taken '
                'for another'
            )
    if training is None:
        return
    once = [gloss for gloss, count in sorted(training.counts.items()) if count == 1]
    if once:
        report.notices.append(
            f'{len(once)} glosses occur once in training ({_first(once)}): one '
            'recording teaches little'
        )
    try:
        report.vocabulary = GlossVocabulary.from_sentences([training.counts])
    except DataError as error:
        report.errors.append(f'the glosses of the training split: {error}')
    for split in report.splits.values():
        counts = split.counts.items()
        split.unseen = Counter({g: n for g, n in counts if g not in training.counts})


def _first(names: list[str], count: int = 5) -> str:
    return ', '.join([*names[:count], *['…'][: len(names) > count]])


def describe(report: CorpusReport) -> str:
    """The report as text for a terminal."""
    said = {True: 'found  ', False: 'MISSING'}
    lines = ['annotations']
    lines += [f'  {said[there]}  {path}' for path, there in report.files.items()]
    for name, split in report.splits.items():
        lines += _describe_split(name, split)
    if report.vocabulary is not None:
        glosses, classes = len(report.vocabulary.glosses), len(report.vocabulary)
        lines.append(f'vocabulary: {glosses} glosses, {classes} classes with the blank')
    if report.keypoint_file is None:
        lines.append('keypoints: not looked at (--keypoint-file FILE)')
    lines += [f'notice: {notice}' for notice in report.notices]
    lines += [f'ERROR: {error}' for error in report.errors]
    end = 'complete' if report.complete else 'NOT complete: see the lines in capitals'
    return '\n'.join([*lines, end])


def _describe_split(name: str, split: SplitReport) -> list[str]:
    clips, total = len(split.gloss_lengths), sum(split.gloss_lengths)
    lines = [
        f'{name}: {clips} clips, {total} glosses, {len(split.counts)} different, '
        f'{len(set(split.signers) - {""})} signers',
        f'  glosses per clip: {_spread(split.gloss_lengths)}',
    ]
    if split.lengths:
        lines.append(f'  frames per clip:  {_spread(split.lengths)}')
        lines.append(f'  frames in all:    {sum(split.lengths)}')
    if split.sizes:
        sizes = {f'{w}×{h}': count for (w, h), count in split.sizes.items()}
        lines.append(f'  pixels of frames: {_counted(sizes)}')
    if split.rates:
        lines.append(f'  frames per second: {_counted(split.rates)}')
    if split.unseen:
        most = ', '.join(gloss for gloss, _ in split.unseen.most_common(5))
        times = f'{len(split.unseen)} glosses, {split.unseen.total()} times'
        lines.append(f'  unseen in training: {times} ({most})')
    for title, clips in (split.problems | split.remarks).items():
        lines.append(f'  {title}: {len(clips)} clips, the first: {clips[0]}')
    return lines


def _counted(counts: Mapping[str, int]) -> str:
    most = Counter(counts).most_common(4)
    shown = ', '.join(f'{name} ({count} clips)' for name, count in most)
    return shown + f' and {len(counts) - 4} more' * (len(counts) > 4)


def _spread(values: list[int]) -> str:
    return (
        f'min {min(values)}, median {statistics.median(values):g}, '
        f'mean {statistics.fmean(values):.1f}, max {max(values)}'
    )
