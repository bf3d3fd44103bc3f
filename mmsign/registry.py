"""The registries of mmsign, scope ``mmsign``: children of MMAction2's.

A config with ``default_scope = 'mmsign'`` names mmsign's parts and MMAction2's alike
(``S3D``, ``ResNet3dSlowOnly``); one of MMAction2 names mmsign's with their scope
(``mmsign.S3D``). MMAction2's own registries stay as they are.
"""

import inspect
from typing import Any

from mmaction import registry as mmaction
from mmengine.registry import FUNCTIONS as _FUNCTIONS
from mmengine.registry import DefaultScope
from mmengine.registry import Registry as _Registry


class Registry(_Registry):
    """A registry whose ``build`` looks here first, whatever the default scope is.

    The parts of a network are built by the network, which may itself be named in a
    config of another scope.
    """

    def build(self, *args, **kwargs) -> Any:
        with DefaultScope.overwrite_default_scope(self.scope):
            return super().build(*args, **kwargs)


def _child(parent: _Registry, *rooms: str) -> Registry:
    places = [f'mmsign.{room}' for room in rooms]
    return Registry(parent.name, parent=parent, scope='mmsign', locations=places)


DATASETS = _child(mmaction.DATASETS, 'datasets')
DATA_SAMPLERS = _child(mmaction.DATA_SAMPLERS, 'datasets')
TRANSFORMS = _child(mmaction.TRANSFORMS, 'datasets')
MODELS = _child(mmaction.MODELS, 'models')
METRICS = _child(mmaction.METRICS, 'evaluation')
HOOKS = _child(mmaction.HOOKS, 'engine')
VISUALIZERS = _child(mmaction.VISUALIZERS, 'visualization')
OPTIMIZERS = _child(mmaction.OPTIMIZERS, 'engine')
PARAM_SCHEDULERS = _child(mmaction.PARAM_SCHEDULERS, 'engine')
# MMEngine's runner looks in its own: there they are named with the scope.
FUNCTIONS = _child(_FUNCTIONS, 'datasets')
# Nothing of ours is in these; without a child MMEngine would not find MMAction2's.
EVALUATOR = _child(mmaction.EVALUATOR)
LOG_PROCESSORS = _child(mmaction.LOG_PROCESSORS)
LOOPS = _child(mmaction.LOOPS)
MODEL_WRAPPERS = _child(mmaction.MODEL_WRAPPERS)
OPTIM_WRAPPERS = _child(mmaction.OPTIM_WRAPPERS)
OPTIM_WRAPPER_CONSTRUCTORS = _child(mmaction.OPTIM_WRAPPER_CONSTRUCTORS)
RUNNERS = _child(mmaction.RUNNERS)
RUNNER_CONSTRUCTORS = _child(mmaction.RUNNER_CONSTRUCTORS)
TASK_UTILS = _child(mmaction.TASK_UTILS)
VISBACKENDS = _child(mmaction.VISBACKENDS)
WEIGHT_INITIALIZERS = _child(mmaction.WEIGHT_INITIALIZERS)


def arguments_of(part: Any) -> tuple[set[str], bool]:
    """Names of what a class or function takes, what it hands on to bases included, and
    to parts of the class that it names as ``hands_on_to``.

    Returns:
        The names, none if it is neither; and whether it may take others, which cannot
        be known.
    """
    functions = [part] if callable(part) else []
    if inspect.isclass(part):
        inits = (vars(base).get('__init__') for base in part.__mro__[:-1])
        functions = filter(None, inits)
    names, others = set(), False
    if hasattr(part, 'hands_on_to'):
        names, _ = arguments_of(part.hands_on_to)
    for function in functions:
        parameters = inspect.signature(function).parameters.values()
        names |= {p.name for p in parameters}
        others = any(p.kind is p.VAR_KEYWORD for p in parameters)
        if not others:
            break
    return names - {'self', 'args', 'kwargs'}, others
