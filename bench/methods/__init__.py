"""The compared methods by name: ``METHODS["reinhard-background"].make()(composite, foreground, None)``."""

from bench.methods.all_methods import METHODS
from bench.methods.registry import Harmonize, Method
from bench.methods.resolve import resolve

__all__ = ["METHODS", "Harmonize", "Method", "resolve"]
