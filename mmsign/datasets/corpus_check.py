"""Look a corpus over before hours are spent on it.

Symbols: N frames of a clip.
"""

from __future__ import annotations

import os
import statistics
from collections import Counter
from dataclasses import dataclass, field

from mmsign.errors import DataError, FrameReadError
from mmsign.vocab import GlossVocabulary

from .io.frame_sources import open_frames
from .io.keypoint_file import KeypointFile
from .sign_dataset import SignDataset

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
        no_frames: Clips without readable frames, and why.
        fewer_frames: Clips with fewer frames than their annotation says.
        more_frames: Clips with more.
        no_keypoints: Clips that the keypoint file lacks.
        other_keypoints: Clips whose keypoints have another N than the frames.
        unspellable: Clips too short for CTC to spell their glosses.
        shared: Clips that an earlier split has too.
    """

    clips: int = 0
    signers: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    unseen: Counter[str] = field(default_factory=Counter)
    gloss_lengths: list[int] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    no_frames: list[str] = field(default_factory=list)
    fewer_frames: list[str] = field(default_factory=list)
    more_frames: list[str] = field(default_factory=list)
    no_keypoints: list[str] = field(default_factory=list)
    other_keypoints: list[str] = field(default_factory=list)
    unspellable: list[str] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)


@dataclass
class CorpusReport:
    """What was found of a corpus.

    Attributes:
        files: Annotation files that are expected, and whether each is there.
        errors: Why splits could not be read.
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
        return not self.errors and not any(
            split.no_frames
            or split.fewer_frames
            or split.no_keypoints
            or split.other_keypoints
            or split.shared
            for split in self.splits.values()
        )


def check_corpus(
    dataset: type[SignDataset],
    data_root: str,
    frames: str | None = None,
    ann_file: str | None = None,
    keypoint_file: str | None = None,
    look_at_frames: bool = True,
) -> CorpusReport:
    """Read all annotations and look for the frames and keypoints of every clip.

    No frame is decoded, except to count those of a video. Nothing is written.

    Args:
        dataset: Class of the corpus.
        data_root, frames, ann_file, keypoint_file: As the class takes them.
        look_at_frames: Whether to look for frames at all.
    """
    report = CorpusReport()
    for split in dataset.SPLITS:
        for path in dataset.annotation_files(data_root, split, ann_file):
            report.files[path] = os.path.isfile(path)
    keypoints = None
    if keypoint_file:
        report.keypoint_file = os.path.join(data_root, keypoint_file)
        keypoints = KeypointFile(report.keypoint_file)
        try:
            _ = keypoints.clip_ids
        except (FileNotFoundError, DataError) as error:
            report.errors.append(str(error))
            keypoints = None
    owners: dict[str, str] = {}
    for split in dataset.SPLITS:
        try:
            clips = dataset(
                data_root=data_root, split=split, frames=frames, ann_file=ann_file
            )
        except (FileNotFoundError, DataError, ValueError) as error:
            # A broken manifest is broken for every split.
            if str(error) not in report.errors:
                report.errors.append(str(error))
            continue
        infos = (clips.get_data_info(index) for index in range(len(clips)))
        report.splits[split] = _look_over(infos, keypoints, look_at_frames, owners)
        owners.update(
            (clips.get_data_info(index)['clip_id'], split)
            for index in range(len(clips))
        )
    training = report.splits.get('train')
    if training is not None:
        try:
            report.vocabulary = GlossVocabulary.from_sentences([training.counts])
        except ValueError as error:
            report.errors.append(f'the glosses of the training split: {error}')
        for split in report.splits.values():
            for gloss in split.counts.keys() - training.counts.keys():
                split.unseen[gloss] = split.counts[gloss]
    return report


def _look_over(
    infos, keypoints: KeypointFile | None, frames: bool, owners: dict[str, str]
) -> SplitReport:
    """One split; ``owners`` has the clips of those before."""
    split = SplitReport()
    for info in infos:
        clip_id, glosses = info['clip_id'], info['glosses']
        split.clips += 1
        split.signers.add(info['signer'])
        split.counts.update(glosses)
        split.gloss_lengths.append(len(glosses))
        if clip_id in owners:
            split.shared.append(f'{clip_id}, which {owners[clip_id]} has too')
        length = announced = info['num_frames']
        if frames:
            try:
                found = length = len(open_frames(info['frames']))
            except FrameReadError as error:
                split.no_frames.append(f'{clip_id}: {error}')
            else:
                differs = f'{clip_id}: {found} frames, {announced} announced'
                if announced is not None and found < announced:
                    split.fewer_frames.append(differs)
                elif announced is not None and found > announced:
                    split.more_frames.append(differs)
        if keypoints is not None:
            if clip_id not in keypoints:
                split.no_keypoints.append(clip_id)
            else:
                posed = keypoints.length(clip_id)
                if length is not None and posed != length:
                    split.other_keypoints.append(
                        f'{clip_id}: {length} frames, {posed} of keypoints'
                    )
                length = posed if length is None else length
        if length is not None:
            split.lengths.append(length)
            # CTC needs a step for each gloss and one between equal neighbours.
            repeats = sum(a == b for a, b in zip(glosses, glosses[1:]))
            if max(length, _STRIDE) // _STRIDE < len(glosses) + repeats:
                split.unspellable.append(clip_id)
    return split


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
    if split.unseen:
        most = ', '.join(gloss for gloss, _ in split.unseen.most_common(5))
        lines.append(
            f'  unseen in training: {len(split.unseen)} glosses, '
            f'{split.unseen.total()} times ({most})'
        )
    for title, clips in (
        ('MISSING frames', split.no_frames),
        ('FEWER frames than announced', split.fewer_frames),
        ('more frames than announced', split.more_frames),
        ('MISSING keypoints', split.no_keypoints),
        ('OTHER number of keypoint frames', split.other_keypoints),
        ('IN ANOTHER SPLIT too', split.shared),
        ('too short for CTC to spell their glosses', split.unspellable),
    ):
        if clips:
            lines.append(f'  {title}: {len(clips)} clips, the first: {clips[0]}')
    return lines


def _spread(values: list[int]) -> str:
    return (
        f'min {min(values)}, median {statistics.median(values):g}, '
        f'mean {statistics.fmean(values):.1f}, max {max(values)}'
    )
