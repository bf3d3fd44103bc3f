"""Pictures of what the network sees and says."""

from .clip_view import ClipView, view_clip, view_frames, view_sheet
from .timeline import ClipPosteriors, Timeline
from .timeline_figure import draw_timeline
from .visualizer import SignVisualizer
