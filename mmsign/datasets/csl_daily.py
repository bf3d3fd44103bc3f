"""CSL-Daily, as its authors hand it out."""

import functools
from typing import Any

from mmsign.errors import DataError
from mmsign.files import file_stamp
from mmsign.interop.restricted_pickle import read_pickle
from mmsign.notices import warn
from mmsign.registry import DATASETS

from .phoenix import read_table
from .sign_dataset import SignDataset


@DATASETS.register_module()
class CSLDailyDataset(SignDataset):
    """CSL-Daily: Chinese glosses and sentences.

    ``csl2020ct_v2.pkl`` and ``split_1.txt``, in data_root or its folder
    ``sentence_label``, and ``sentence_frames-512x512/{clip_id}/{000000}.jpg``; see
    ``SignDataset`` for the arguments. Sentences are scored by character, glosses by
    gloss. The corpus is handed out under an agreement; nothing of it is part of
    mmsign.
    """

    METAINFO = dict(
        dataset='csl-daily', gloss_cleanup='none', level='character', language='zh'
    )
    ANNOTATIONS = ('csl2020ct_v2.pkl', 'split_1.txt')
    # Where the corpus has both, or where they are put beside the frames.
    FOLDERS = ('', 'sentence_label')
    FRAMES = 'sentence_frames-512x512'
    CLIP_FRAMES = '{clip_id}'
    FPS = 30.0

    @classmethod
    def read_annotations(cls, data_root: str, split: str) -> list[dict]:
        path, table = cls.annotation_files(data_root, split)
        clips = _read_clips(*file_stamp(path))
        records, missing = [], []
        for where, row in read_table(table, ('name', 'split')):
            if cls.is_in(split, row['split'], where):
                if row['name'] in clips:
                    records.append(clips[row['name']] | dict(where=where))
                else:
                    missing.append(row['name'])
        if missing:
            warn(
                f'{table} names {len(missing)} clips of the {split} split that {path} '
                f'lacks; they are left out: {", ".join(missing[:5])}'
            )
        return records


@functools.lru_cache(maxsize=1)
def _read_clips(path: str, *_version: int) -> dict[str, dict]:
    """Annotations by clip, read once for all splits."""
    content = read_pickle(path)
    info = content.get('info') if isinstance(content, dict) else None
    if not isinstance(info, list):
        raise DataError(f'{path}: expected a dict with a list under the key info')
    records = (_record(clip, f'{path}, info entry {n}') for n, clip in enumerate(info))
    return {record['clip_id']: record for record in records}


def _record(clip: Any, where: str) -> dict:
    keys = ('name', 'signer', 'length', 'label_gloss', 'label_char')
    if not isinstance(clip, dict) or not all(key in clip for key in keys):
        raise DataError(f'{where}: expected a dict with {", ".join(keys)}')
    name, signer, length, glosses, characters = (clip[key] for key in keys)
    if not isinstance(name, str) or not isinstance(signer, (str, int)):
        raise DataError(f'{where}: expected names under name and signer')
    if not isinstance(length, int) or length < 0:
        raise DataError(f'{where}: expected a number of frames under length')
    for key in keys[3:]:
        words = clip[key]
        listed = isinstance(words, (list, tuple))
        if not listed or not all(isinstance(word, str) for word in words):
            raise DataError(f'{where}: expected a list of strings under {key}')
    record = dict(clip_id=name, signer=str(signer), num_frames=length)
    return record | dict(glosses=list(glosses), text=''.join(characters))
