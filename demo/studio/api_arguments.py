"""Arguments of the API as they come from strangers, in the photo's pixels. InputError for anything else."""

from iph.errors import InputError
from iph.images.photo import Photo


def pixel_point(x: object, y: object, photo: Photo) -> tuple[float, float]:
    """A point x, y of a photo from shares of its sides, 0 to 1."""
    height, width = photo.pixels.shape[:2]
    if not all(_is_number(n) and 0 <= n <= 1 for n in (x, y)):
        raise InputError(f"expected a point x, y in shares of the picture, from 0 to 1, got {str((x, y))[:40]}")
    return min(x * width, width - 1), min(y * height, height - 1)


def pixel_box(box: object, photo: Photo) -> tuple[float, float, float, float]:
    """A box x0, y0, x1, y1 of a photo from shares of its sides."""
    height, width = photo.pixels.shape[:2]
    if not isinstance(box, list) or len(box) != 4 or not all(map(_is_number, box)):
        raise InputError(f"expected a box x0, y0, x1, y1 in shares of the picture, got {str(box)[:40]}")
    return box[0] * width, box[1] * height, box[2] * width, box[3] * height


def check_truth(name: str, value: object) -> None:
    """That ``value`` is true or false."""
    if not isinstance(value, bool):
        raise InputError(f"expected {name} as true or false, got {str(value)[:40]}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
