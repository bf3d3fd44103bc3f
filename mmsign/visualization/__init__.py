"""Pictures of what the network sees and says."""

from .clip_view import ClipView, caption_strip, view_frames, view_sheet
from .overlay import blend_heatmaps, clip_sheet, crop_coordinates, draw_skeleton
from .posteriors import ClipPosteriors
from .timeline import save_timeline
from .visualizer import SignVisualizer

__all__ = [
    'ClipPosteriors',
    'ClipView',
    'SignVisualizer',
    'caption_strip',
    'view_frames',
    'view_sheet',
    'blend_heatmaps',
    'clip_sheet',
    'crop_coordinates',
    'draw_skeleton',
    'save_timeline',
]
