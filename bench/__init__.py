"""The benchmark: data sets, methods, metrics, a runner that resumes, and tables with intervals.

``bench.evaluate`` is all of it in one call. It is imported when it is first used: ``bench --help`` does not need torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.one_call import Evaluation, evaluate

__all__ = ["Evaluation", "evaluate"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module("bench.one_call"), name)
    raise AttributeError(f"module 'bench' has no attribute {name!r}")
