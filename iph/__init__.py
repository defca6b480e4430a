"""Interactive Portrait Harmonization: make a pasted person look shot with the photo (Valanarasu et al. 2022)."""

from iph.errors import InputError
from iph.harmonizer import Harmonizer, Result, Session, harmonize, load
from iph.mapping import ColorMapping
from iph.reference import Reference

__all__ = ["ColorMapping", "Harmonizer", "InputError", "Reference", "Result", "Session", "harmonize", "load"]
