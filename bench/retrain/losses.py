"""The losses of the compared networks where they are retrained.

They are those of the released code (``dovenet_model.py``, ``rainnet_model.py``, ``bargainnet_model.py``) without the
discriminators of DoveNet and RainNet: in minutes of training an adversary has nothing to say yet. BargainNet has none.
Images (B, 3, H, W) in [0, 1] outside, [-1, 1] inside; masks (B, 1, H, W) in [0, 1].
"""

import torch.nn.functional as F
from torch import Tensor, nn

from iph.training.objective import Batch, ObjectiveWeights

MARGIN, TRIPLETS = 0.1, 0.01  # BargainNet's


def reconstruction(model: nn.Module, batch: Batch, weights: ObjectiveWeights) -> tuple[Tensor, dict[str, float]]:
    """DoveNet's and RainNet's L1 over the frame in [-1, 1] (what RainNet does not change counts as zero)."""
    harmonized = model(batch["composite"], batch["foreground"], batch["reference_image"], batch["reference"])
    loss = 2 * F.l1_loss(harmonized, batch["target"])
    return loss, {"L1": float(loss.detach())}


def bargain(model: nn.Module, batch: Batch, weights: ObjectiveWeights) -> tuple[Tensor, dict[str, float]]:
    """BargainNet's L1 over the frame, and its two triplets over the codes of four regions."""
    foreground, target = batch["foreground"], batch["target"] * 2 - 1
    composite = batch["composite"] * 2 - 1
    guide = model.guide(composite, foreground, batch["reference_image"], batch["reference"])
    harmonized = model.network.generate(composite, foreground, guide)
    # Codes are (B, 16, 1, 1): the distance is taken over the last axis, so it is a hinge a channel, as in their code.
    real, after, before = (model.network.style_encoder(image, foreground) for image in (target, harmonized, composite))
    triplets = F.triplet_margin_loss(real, after, before, MARGIN) + F.triplet_margin_loss(after, guide, before, MARGIN)
    frame = F.l1_loss(harmonized, target)
    return frame + TRIPLETS * triplets, {"L1": float(frame.detach()), "triplets": float(triplets.detach())}
