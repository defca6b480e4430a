"""Write matting.npz: pymatting's closed-form alpha of a drawn head, to check ``matted`` against.

In an environment of its own, since pymatting brings numba: pip install pymatting==1.1.15 -r requirements.txt, then
python tests/iph/masks/golden/make_matting.py
"""

import sys
from pathlib import Path

import numpy as np
from pymatting import estimate_alpha_cf

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[4]))
from drawn_hair import drawn_hair, rough_mask

from iph.masks.matting import band_of, settled

if __name__ == "__main__":
    golden = {}
    for name, textured in (("smooth", False), ("textured", True)):
        picture, alpha, _ = drawn_hair(textured)
        mask = rough_mask(alpha)
        picture = np.rint(picture * 255) / 255
        trimap = np.where(band_of(mask), 0.5, settled(mask)).astype(np.float64)
        found = estimate_alpha_cf(picture.astype(np.float64), trimap, laplacian_kwargs={"epsilon": 1e-5})
        golden[name] = np.rint(found[band_of(mask)] * 255).astype(np.uint8)
    np.savez_compressed(Path(__file__).with_name("matting.npz"), **golden)
