"""Settings of the property-based tests.

``MMSIGN_PROPERTY_EXAMPLES=5000 pytest -m "not slow"`` draws more, and new ones each
time; hypothesis prints what reproduces a failure. Without the variable the draws are
few and always the same.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_EXAMPLES = int(os.environ.get('MMSIGN_PROPERTY_EXAMPLES', '0'))


def examples(count: int) -> settings:
    """At most ``count`` examples, or as many as the environment asks for."""
    return settings(
        max_examples=_EXAMPLES or count,
        derandomize=not _EXAMPLES,
        deadline=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
