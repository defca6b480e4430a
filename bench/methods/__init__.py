"""The compared methods by name: ``METHODS["reinhard-background"].make()(composite, foreground, None)``."""

from bench.methods.registry import Harmonize, Method
from bench.methods.resolve import resolve
from bench.methods.table import METHODS

__all__ = ["METHODS", "Harmonize", "Method", "resolve"]
