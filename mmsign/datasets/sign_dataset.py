"""What the corpora have in common."""

import itertools
import os
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from mmengine.dataset import BaseDataset

from mmsign.errors import ConfigError, DataError
from mmsign.interop.slrt_corpus import read_slrt_annotations
from mmsign.notices import warn
from mmsign.registry import TRANSFORMS
from mmsign.vocab import composed

from .clip_names import is_legible
from .io.archives import safe_member
from .io.frame_sources import prepare_frames
from .io.frame_times import checked_fps
from .io.listing import split_archive
from .signer_splits import Signers, clips_of_split


class SignDataset(BaseDataset):
    """Clips of a corpus with their glosses and, where there is one, a sentence.

    A corpus is a subclass that says where its files lie and implements
    ``read_annotations``. Nothing but annotations is read until a clip is asked
    for, and a clip's record is small: paths and strings.

    Args:
        data_root: Folder of the corpus.
        split: One of ``SPLITS``.
        keypoint_file: A keypoint file (see ``keypoint_file.py``), relative to
            data_root or absolute. None if the pipeline loads no keypoints.
        frames: Where the frames are, if not where the corpus has them: a folder
            or a zip archive (``ARCHIVE.zip`` or ``ARCHIVE.zip@FOLDER``) with the
            clips at ``CLIP_FRAMES`` inside; or a pattern with ``{clip_id}`` and,
            if needed, ``{split}``, such as ``videos/{clip_id}.mp4``. Relative to
            data_root or absolute.
        ann_file: Annotations to read instead of the corpus' own: a file of the
            paper's authors, such as ``phoenix14t.{split}``; relative to data_root
            or absolute.
        signers: Splits by signer instead of the annotations': ``dict(test=['a'])``
            tests on all clips of signer a and trains on what else is in ``train``
            and ``test``. See ``signer_splits.py``.
        trained_with: The ``signers`` that the network was trained with, where these
            are others; None: the same. Of who is said to be trained on alone.
        fps: Frames per second at which clips are seen: those whose files have times
            of their own (videos) are resampled. None takes the corpus's, ``FPS``; if
            that is None too, every clip is seen at its own rate.
        pipeline: Transforms; see ``mmsign.datasets.transforms``.
        step: Of the frames at that rate every so many-th is seen, from the first on.
        **kwargs: See ``mmengine.dataset.BaseDataset``: test_mode, indices, …

    Attributes:
        METAINFO: ``dataset``, the corpus' name; ``gloss_cleanup``, the clean-up
            applied before scoring; ``level``, ``word`` or ``character``, at which
            sentences are scored; ``language`` of the sentences. The ``metainfo`` of an
            instance has its ``signers``, too, and of another split than ``train`` says
            in ``training_signers`` who is trained on, if these annotations can be read.
        SPLITS: Names of the splits.
        ANNOTATIONS: Its annotation files, relative to data_root, with ``{split}``.
        FOLDERS: Where they may lie in data_root.
        FRAMES: Where the corpus ships its frames, relative to data_root.
        CLIP_FRAMES: Where a clip's frames lie therein.
        FPS: Frames per second of the corpus.

    Raises:
        FileNotFoundError: If the annotations are not there.
        DataError: Naming file and line, if they are broken.
    """

    METAINFO: ClassVar[dict] = dict(
        dataset='', gloss_cleanup='none', level='word', language=''
    )
    SPLITS: ClassVar[tuple[str, ...]] = ('train', 'dev', 'test')
    ANNOTATIONS: ClassVar[tuple[str, ...]] = ()
    FOLDERS: ClassVar[tuple[str, ...]] = ('',)
    FRAMES: ClassVar[str] = ''
    CLIP_FRAMES: ClassVar[str] = '{split}/{clip_id}'
    FPS: ClassVar[float | None] = None

    def __init__(
        self,
        data_root: str,
        split: str,
        keypoint_file: str | None = None,
        frames: str | None = None,
        ann_file: str | None = None,
        signers: Signers | None = None,
        fps: float | None = None,
        pipeline: Sequence[dict | Callable] = (),
        step: int = 1,
        trained_with: Signers | None = None,
        **kwargs,
    ) -> None:
        self.is_in(split, split, type(self).__name__)  # or there is no such split
        data_root = os.fspath(data_root)
        self.split = split
        self.fps = self.FPS if fps is None else checked_fps(fps, 'fps of the dataset')
        self.step = checked_step(step)
        self.keypoint_file = (
            os.path.join(data_root, keypoint_file) if keypoint_file else None
        )
        self.frames_given = bool(frames)
        frames = frames or self.FRAMES
        if '{clip_id}' not in frames:
            if not frames.endswith(('/', '@')):
                frames += '@' if frames.lower().endswith('.zip') else '/'
            frames += self.CLIP_FRAMES
        self.frames = os.path.join(data_root, frames)
        # BaseDataset has an attribute ann_file, whose path it completes itself.
        self.annotations = ann_file or None
        self.signers = dict(signers or {})
        self.trained_with = self.signers if trained_with is None else trained_with
        # Built here, in MMAction2's registry: BaseDataset would look in mmengine's
        # unless a default scope is set.
        transforms = [t if callable(t) else TRANSFORMS.build(t) for t in pipeline]
        super().__init__(data_root=data_root, pipeline=transforms, **kwargs)
        prepare_frames(self.frames)

    @classmethod
    def annotation_files(
        cls, data_root: str, split: str, ann_file: str | None = None
    ) -> list[str]:
        """Paths of the files that a split's annotations are, or are expected, in."""
        found = []
        for name in [ann_file] if ann_file else cls.ANNOTATIONS:
            name = name.replace('{split}', split)
            places = [os.path.join(data_root, folder, name) for folder in cls.FOLDERS]
            found.append(next(filter(os.path.isfile, places), places[0]))
        return found

    @classmethod
    def read_annotations(cls, data_root: str, split: str) -> list[dict]:
        """Read a split's annotations from the corpus' own files, which are there.

        Returns:
            Per clip: ``clip_id`` str, ``glosses`` list[str], ``text`` str or None,
            ``signer`` str, ``num_frames`` int or None if the corpus does not say,
            and ``where``, file and line for errors. ``frames``, if given, says
            where this clip's frames are unless the dataset's argument does, and
            ``source_fps`` at which rate they were taken if they have no times.
        """
        raise NotImplementedError

    @classmethod
    def read_ann_file(cls, path: str, data_root: str, split: str) -> list[dict]:
        """Read ``ann_file``, likewise; a file of the paper's authors."""
        return read_slrt_annotations(path)

    @classmethod
    def load_annotations(
        cls,
        data_root: str,
        split: str,
        ann_file: str | None = None,
        signers: Signers | None = None,
        notify: Callable[[str], Any] = warn,
    ) -> list[dict]:
        """The annotations of a split, from the corpus' own files or ``ann_file``.

        Returns:
            As ``read_annotations``; texts are in Unicode's composed form (NFC). Each
            clip has ``listed``, the split that the annotations have it in.
        """
        if not signers:
            return cls._read_split(data_root, split, ann_file, notify)
        annotated = cls.all_annotations(data_root, ann_file, notify)
        return clips_of_split(annotated, signers, split, cls.SPLITS)

    @classmethod
    def all_annotations(
        cls,
        data_root: str,
        ann_file: str | None = None,
        notify: Callable[[str], Any] = warn,
    ) -> dict[str, list[dict]]:
        """The annotations of all splits whose files are there, by split.

        Raises:
            FileNotFoundError: If those of the training split are not.
        """
        found = {}
        for split in cls.SPLITS:
            files = cls.annotation_files(data_root, split, ann_file)
            if split == 'train' or all(map(os.path.isfile, files)):
                found[split] = cls._read_split(data_root, split, ann_file, notify)
        return found

    @classmethod
    def _read_split(
        cls, data_root: str, split: str, ann_file: str | None, notify: Callable
    ) -> list[dict]:
        files = cls.annotation_files(data_root, split, ann_file)
        for file in itertools.filterfalse(os.path.isfile, files):
            expected = (' and ' if len(files) > 1 else ' or ').join(cls.ANNOTATIONS)
            raise FileNotFoundError(
                f'{cls.__name__}: no {file}; data_root must be the folder that holds '
                f'{expected}, with frames at '
                f'{cls.FRAMES}/{cls.CLIP_FRAMES}, or `ann_file` name its annotations'
            )
        if ann_file:
            clips = cls.read_ann_file(files[0], data_root, split)
        else:
            clips = cls.read_annotations(data_root, split)
        others = 0
        for clip in clips:
            given = {key: clip[key] for key in ('clip_id', 'glosses', 'text', 'signer')}
            taken = {key: _composed(value) for key, value in given.items()}
            clip |= taken | dict(listed=split)
            others += taken != given
        if others:
            notify(
                f'{cls.__name__}: {others} of {len(clips)} clips of the {split} split '
                "are not in Unicode's composed form (NFC), which is taken"
            )
        return clips

    @classmethod
    def is_in(cls, split: str, named: str, where: str) -> bool:
        """Whether a row that names a split is of this one.

        Raises:
            DataError: If there is no such split.
        """
        if named not in cls.SPLITS:
            splits = ', '.join(cls.SPLITS)
            raise DataError(f'{where}: split {named!r} is none of {splits}')
        return named == split

    @classmethod
    def training_glosses(
        cls, data_root: str, ann_file: str | None = None, signers: Signers | None = None
    ) -> list[list[str]]:
        """Gloss sequences of the training split, the source of the vocabulary."""
        clips = cls.load_annotations(data_root, 'train', ann_file, signers)
        return [clip['glosses'] for clip in clips]

    def corpus_files(self) -> list[str]:
        """Paths of the large files that all clips share: keypoints, a zip archive."""
        archive, _ = split_archive(self.frames) or (None, '')
        return [path for path in (self.keypoint_file, archive) if path is not None]

    def load_data_list(self) -> list[dict]:
        """One record per clip.

        Returns:
            Per clip: ``clip_id``, ``frames`` (see ``open_frames``),
            ``keypoint_file`` or None, ``fps`` or None, ``step``, ``glosses``,
            ``text``, ``signer`` and ``num_frames``.
        """
        seen: dict[str, str] = {}
        records = []
        for clip in self.load_annotations(
            self.data_root, self.split, self.annotations, self.signers
        ):
            clip_id, where = clip['clip_id'], clip.pop('where')
            # A clip's name becomes part of paths; keep it inside the corpus.
            if not is_legible(clip_id) or not safe_member(clip_id):
                raise DataError(
                    f'{where}: {clip_id!r} is no usable name of a clip: empty, '
                    "absolute, with '..' or control characters"
                )
            note_once(seen, clip_id, where)
            # Not str.format: an archive's path may hold other braces.
            frames = self.frames.replace('{split}', clip.pop('listed'))
            frames = frames.replace('{clip_id}', clip_id)
            places = dict(frames=frames, keypoint_file=self.keypoint_file)
            places |= dict(fps=self.fps, step=self.step)
            # Of its places, the option moves the frames alone.
            moved = dict(frames=frames) if self.frames_given else {}
            records.append(places | clip | moved)
        if not records:
            name = f'{type(self).__name__}: the {self.split} split'
            raise DataError(f'{name} under {self.data_root} has no clips')
        unnamed = sum(not record['signer'] for record in records)
        if self.signers and unnamed:
            warn(
                f'{unnamed} of {len(records)} clips of the {self.split} split say no '
                'signer: they are taken to be of none of those whom `signers` names'
            )
        # A checkpoint keeps what it was trained with.
        self._metainfo['signers'] = self.signers
        if self.split != 'train':
            self._metainfo['training_signers'] = self._training_signers()
        return records

    def _training_signers(self) -> list[str] | None:
        """Who is trained on; None if that cannot be told."""
        try:
            clips = self.load_annotations(
                self.data_root,
                'train',
                self.annotations,
                self.trained_with,
                notify=lambda text: None,
            )
        except (FileNotFoundError, DataError):
            return None
        return sorted({clip['signer'] for clip in clips} - {''})


def checked_step(step: int) -> int:
    """A number n of which every n-th frame is seen.

    Raises:
        ConfigError: If it is no positive whole number.
    """
    if type(step) is not int or step < 1:
        raise ConfigError(f'step takes every n-th frame, n = 1, 2, …, not {step!r}')
    return step


def note_once(seen: dict[str, str], clip_id: str, where: str) -> None:
    """Note where a clip was found; DataError if it was found before."""
    if clip_id in seen:
        first = seen[clip_id]
        raise DataError(f'{where}: clip {clip_id!r} occurs twice, first at {first}')
    seen[clip_id] = where


def _composed(value: str | list[str] | None) -> str | list[str] | None:
    if isinstance(value, list):
        return list(map(composed, value))
    return value and composed(value)
