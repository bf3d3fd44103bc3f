"""Pictures of what the network sees and says."""

from .overlay import blend_heatmaps, clip_sheet, crop_coordinates, draw_skeleton
from .timeline import save_timeline

__all__ = [
    'blend_heatmaps',
    'clip_sheet',
    'crop_coordinates',
    'draw_skeleton',
    'save_timeline',
]
