"""From a clip's record to the network's input, in this order:

- ``LoadClip`` opens ``frame_source``; reads ``keypoints`` (N, 79, 3); ``num_frames``,
  ``frame_size``, ``crop_box`` (the whole frame)
- ``SampleClip`` decides ``frame_indices`` (T,); ``keypoints`` (T, 79, 3); or
  ``SampleRescaled``, ``SampleRhythm``
- ``DecodeClip``: ``frames`` (T, H, W, 3) uint8 BGR
- ``ClipRandomCrop`` decides ``crop_box``; or ``ClipCenterCrop``, ``ClipFixedCrop``,
  ``SignerCrop``
- ``ClipResize``: ``frames`` (T, S, S, 3), cropped and resized
- ``ShiftStart``: both, beginning later or sooner
- ``ClipWarp``: both, as another camera sees them or a left-hander signs; ``ClipFlip``
  the latter alone
- ``VaryBody``: ``keypoints`` of another body; ``DropPoints`` loses some
- ``ClipColorJitter``: ``frames`` in other colours; ``ClipErase`` covers a part
- ``HoldLast``: both, the last frame stands for a while
- ``PackClip``: ``inputs`` and ``data_samples``

Instead of all of these, ``LoadFeatures`` reads cached features, and ``PackSentence``
takes glosses and sentence alone.

Every decision is made once per clip. Keypoints stay in pixels of the source frame;
the crop box travels with them to where heatmaps are drawn. Random numbers come from
numpy's global generator, which MMEngine seeds in every worker.
"""

from .load import DecodeClip, LoadClip
from .pack import LoadFeatures, PackClip, PackSentence
from .people import ClipErase, ClipFlip, ClipWarp, DropPoints, VaryBody
from .pixels import ClipColorJitter, ClipResize
from .sample import (
    ClipCenterCrop,
    ClipFixedCrop,
    ClipRandomCrop,
    HoldLast,
    SampleClip,
    SampleRescaled,
    SampleRhythm,
    ShiftStart,
)
from .signer import SignerCrop
