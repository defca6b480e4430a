"""Write foreground.npz: pymatting's multi-level foreground colours of a drawn head, to check ``clean_edges`` against.

In an environment of its own, since pymatting brings numba: pip install pymatting==1.1.15 opencv-python-headless, then
python tests/iph/masks/golden/make_foreground.py
"""

import sys
from pathlib import Path

import numpy as np
from pymatting import estimate_foreground_ml

sys.path.insert(0, str(Path(__file__).parents[2]))
from drawn_hair import drawn_hair

if __name__ == "__main__":
    golden = {}
    for name, textured in (("smooth", False), ("textured", True)):
        picture, alpha, _ = drawn_hair(textured)
        foreground = estimate_foreground_ml(picture.astype(np.float64), alpha.astype(np.float64))
        golden[name] = np.rint(foreground[(alpha > 0.05) & (alpha < 0.95)] * 255).astype(np.uint8)
    np.savez_compressed(Path(__file__).with_name("foreground.npz"), **golden)
