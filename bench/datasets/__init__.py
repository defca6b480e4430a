"""Data sets in one form, whatever the layout they come in."""

from bench.datasets.catalogue import CATALOGUE, open_dataset
from bench.datasets.manifest import Dataset, Entry, read_manifest, write_manifest
from bench.datasets.pictures import Picture, load

__all__ = ["CATALOGUE", "Dataset", "Entry", "Picture", "load", "open_dataset", "read_manifest", "write_manifest"]
