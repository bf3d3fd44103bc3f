"""What was recognized in a clip, for the programs in which people annotate and caption.

Tiers of ELAN: ``GLOSS``, which counts (the average of all outputs), ``GLOSS NAME`` of
each output, ``… confidence`` with that of each gloss, ``TEXT`` and ``TEXT NAME`` with
the sentences, which are of the whole clip.
"""

from __future__ import annotations

import os
from pathlib import Path

from mmsign.datasets.io.listing import split_stretch
from mmsign.datasets.io.videos import is_video
from mmsign.decoding import AVERAGE
from mmsign.errors import ClipError
from mmsign.interop.elan import ElanFile, ElanTier
from mmsign.interop.elan_writer import in_succession, media_of, write_elan
from mmsign.interop.subtitles import write_subtitles
from mmsign.timing import TimedGloss

from .records import ClipResult

GLOSS, TEXT = 'GLOSS', 'TEXT'


def write_transcript(path: str | os.PathLike, result: ClipResult) -> None:
    """Write what was recognized in a whole clip.

    Args:
        path: ``.eaf`` for ELAN, linked to the video if the clip is one; ``.srt`` or
            ``.vtt`` for subtitles: the sentence, or the glosses if there is none or
            the name says so (``NAME.glosses.srt``).
        result: Of the clip.

    Raises:
        ClipError: If the clip is a stretch of a video: times would count from there.
        DataError: If a gloss has characters that the format cannot hold.
    """
    if split_stretch(result.clip):
        raise ClipError(f'{path} is about a whole video, {result.clip} is part of one')
    path = Path(path)
    if path.suffix.lower() == '.eaf':
        write_elan(path, elan_of(result, path))
    elif result.sentence is None or path.stem.lower().endswith('.glosses'):
        write_subtitles(path, in_succession(result.glosses))
    else:
        write_subtitles(path, _whole(result, result.sentence))


def elan_of(result: ClipResult, path: str | os.PathLike) -> ElanFile:
    """The file of ELAN that is to be written to ``path``."""
    media = ()
    if is_video(os.path.basename(result.clip)):
        media = (media_of(result.clip, path),)
    tiers: dict[str, ElanTier] = {}
    # The average first, and with its tier even if nobody was seen.
    outputs = {AVERAGE: result.average} | result.outputs
    for output, found in outputs.items():
        name = GLOSS if output == AVERAGE else f'{GLOSS} {output}'
        glosses = in_succession(found.glosses)
        scores = (
            TimedGloss(f'{one.score:.2f}', one.start, one.duration) for one in glosses
        )
        tiers[name] = ElanTier(glosses)
        tiers[f'{name} confidence'] = ElanTier(tuple(scores), parent=name)
    if result.sentence is not None:
        tiers[TEXT] = ElanTier(_whole(result, result.sentence))
    if len(result.translations) > 1:
        for output, sentence in result.translations.items():
            tiers[f'{TEXT} {output}'] = ElanTier(_whole(result, sentence))
    return ElanFile(media, tiers)


def _whole(result: ClipResult, sentence: str) -> tuple[TimedGloss, ...]:
    """A sentence, unless it is empty, from the clip's beginning to its end."""
    said = [TimedGloss(sentence, 0.0, result.duration)] * bool(sentence)
    return in_succession(said)
