"""DoveNet's generator (Cong et al., "DoveNet: Deep Image Harmonization via Domain Verification", CVPR 2020)."""

from bench.networks.blocks import LEVELS, WIDTH, AttentionUNet


class DoveNet(AttentionUNet):
    """Composite in [-1, 1] and its foreground mask in {0, 1}, concatenated → harmonized frame in [-1, 1].

    The published BatchNorm variant: 54,759,939 parameters. The output is raw: the background changes too.
    """

    INPUTS = (4,)  # channels of what ``forward`` takes

    def __init__(self, width: int = WIDTH, levels: int = LEVELS) -> None:
        super().__init__(4, width, levels)
