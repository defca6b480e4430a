"""The compared networks, written so that the published checkpoints load strictly."""

from bench.networks.bargainnet import BargainNet
from bench.networks.dovenet import DoveNet
from bench.networks.rainnet import RainNet

NETWORKS = {"dovenet": DoveNet, "rainnet": RainNet, "bargainnet": BargainNet, "bargainnet-r-pp": BargainNet}
"""By the weights that belong to them (``bench.weights``)."""

__all__ = ["NETWORKS", "BargainNet", "DoveNet", "RainNet"]
