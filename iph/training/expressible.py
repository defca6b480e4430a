"""What the colour mapping can express of the network's pixels, with a gradient (paper Sec. 5's polynomial fitting).

The network's pixels are never shown: a polynomial is fitted to them, and what it cannot follow is thrown away. A loss
on φ of the raw pixels can be met by a pattern that φ sees and the fit removes. So φ(h) is taken of the fit.
"""

import torch
from torch import Tensor

from iph.network import polynomial_terms
from iph.polynomial import RIDGE


def expressible(harmonized: Tensor, composite: Tensor, foreground: Tensor) -> Tensor:
    """``harmonized`` (B, 3, H, W), replaced inside the foreground (B, 1, H, W) by its best 11-term colour mapping.

    The ridge fit of ``iph.polynomial.fit_change`` over all foreground pixels, always with eleven terms. Linear in
    ``harmonized`` before the clip to [0, 1]; double precision, because the terms are nearly dependent.
    """
    exact = torch.float32 if composite.device.type == "mps" else torch.float64  # which has no other
    seen, mask = composite.to(exact).clamp(0, 1), foreground.to(exact)
    terms = polynomial_terms(seen)  # (B, 11, H, W)
    weighted = terms * mask
    change = (harmonized.to(exact).clamp(0, 1) - seen) * mask
    gram = torch.einsum("bthw,bshw->bts", weighted, terms)  # (B, 11, 11)
    penalty = torch.full((terms.shape[1],), RIDGE, dtype=exact, device=terms.device)
    penalty[-1] = 0  # the constant
    area = mask.sum((1, 2, 3)).clamp_min(1)  # (B,)
    # An empty foreground has no Gram matrix: the smallest of diagonals gives it a solution, which is zero.
    gram = gram + torch.diag_embed(penalty * area[:, None] + 1e-12)
    coefficients = torch.linalg.solve(gram, torch.einsum("bthw,bchw->btc", weighted, change))  # (B, 11, 3)
    fitted = torch.einsum("bthw,btc->bchw", terms, coefficients)
    return (seen + mask * fitted).clamp(0, 1).to(harmonized.dtype)
