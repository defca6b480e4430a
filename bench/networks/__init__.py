"""The compared networks, written so that the published checkpoints load strictly."""

from bench.networks.bargainnet import BargainNet
from bench.networks.dovenet import DoveNet
from bench.networks.rainnet import RainNet

__all__ = ["BargainNet", "DoveNet", "RainNet"]
