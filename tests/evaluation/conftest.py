import logging

import pytest
from mmengine.logging import MMLogger


@pytest.fixture
def log(request):
    """Messages of the current MMEngine logger."""
    messages = []
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())
    logger = MMLogger.get_instance(request.node.nodeid)
    logger.addHandler(handler)
    yield messages
    logger.removeHandler(handler)


@pytest.fixture
def score():
    """score(metric, samples, **dataset_meta) → the metric's results."""

    def run(metric, samples, **dataset_meta):
        metric.dataset_meta = dataset_meta
        for sample in samples:
            metric.process(None, [sample.to_dict()])
        return metric.evaluate(len(samples))

    return run
