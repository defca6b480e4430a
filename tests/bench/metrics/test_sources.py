"""Each protocol against its source, written out again step by step: files in, numbers out, masks with soft edges.

Names and order follow the authors' scripts (``bench/metrics/protocols.py`` says which). The output is a finished
picture, as bytes.
"""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from bench_pictures import picture, save
from bench_runs import go
from PIL import Image

from bench.datasets.manifest import Dataset, Entry, write_manifest
from bench.metrics import PROTOCOLS
from iph.errors import InputError

EQUAL = 1e-6
IMAGES = 3


@pytest.fixture(scope="module")
def soft_set(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Photos of several shapes whose masks were drawn four times as large and reduced, as iHarmony4's are soft."""
    folder = tmp_path_factory.mktemp("soft")
    entries = []
    for number, (height, width) in enumerate(((300, 412), (256, 256), (411, 290))):
        large = np.zeros((4 * height, 4 * width), np.uint8)
        cv2.ellipse(large, (2 * width, 2 * height), (width, int(1.3 * height)), 20 * number, 0, 360, 255, -1)
        cv2.line(large, (0, 3 * height), (4 * width, 3 * height), 255, 2)  # less than a pixel wide
        mask = cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA)
        assert 0.005 < ((mask > 0) & (mask < 255)).mean() < 0.2
        target = picture(number, height, width)
        composite = np.clip(target * 1.2 + 9 * number, 0, 255).astype(np.uint8)
        pixels = np.rint(target + (composite - target.astype(float)) * mask[..., None] / 255).astype(np.uint8)
        files = {"composite": pixels, "foreground": mask, "target": target}
        paths = {role: save(folder / role / f"{number}.png", values) for role, values in files.items()}
        entries.append(Entry(id=f"image{number}", photo=f"photo{number}", **paths))
    write_manifest(folder, entries)
    return Dataset(folder.name, folder, tuple(entries))


# DoveNet and iHarmony4


def dovenet(entry: Entry, finished: Path) -> dict[str, float]:
    """evaluation.py, 25-46."""
    comp = np.array(Image.open(finished).resize((256, 256), Image.BICUBIC), np.float32)
    real = np.array(Image.open(entry.target).resize((256, 256), Image.BICUBIC), np.float32)
    mask = np.array(Image.open(entry.foreground).convert("1").resize((256, 256), Image.BICUBIC), np.uint8)
    fore_area = mask.sum()
    mask = mask[..., None]
    return {
        "mse": _mse(comp, real),
        "psnr": _psnr(comp, real, comp.max() - comp.min()),
        "fmse": _mse(comp * mask, real * mask) * 256 * 256 / fore_area,
    }


def dovenet_test(entry: Entry, finished: Path) -> dict[str, float]:
    """data/iharmony4_dataset.py, 76-86; util/util.py, 24-27; test.py, 44-59."""
    output, real = _bilinear(finished), _tensor2im(_normalized(_bilinear(entry.target)))
    output = output.astype(np.float32)
    return {"mse": _mse(output, real), "psnr": _psnr(output, real, output.max() - output.min())}


def rainnet(entry: Entry, finished: Path) -> dict[str, float]:
    """data/iharmony4_dataset.py, 59-73; models/networks.py, processImage; evaluate.py, 74-80."""
    mask = np.array(Image.open(entry.foreground).convert("1").resize((256, 256), Image.BILINEAR), bool)
    real = _tensor2im(_normalized(_bilinear(entry.target)))
    pred = np.where(mask[..., None], _bilinear(finished), real)
    return {"mse": _mse(pred, real), "psnr": _psnr(pred, real, 255)}


def _bilinear(path: Path) -> np.ndarray:
    return np.array(Image.open(path).convert("RGB").resize((256, 256), Image.BILINEAR))


def _normalized(image: np.ndarray) -> torch.Tensor:
    """``ToTensor`` and ``Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))``."""
    tensor = torch.from_numpy(image.transpose(2, 0, 1)).to(torch.float32).div(255)
    return tensor.sub(torch.full((3, 1, 1), 0.5)).div(torch.full((3, 1, 1), 0.5))


def _tensor2im(tensor: torch.Tensor) -> np.ndarray:
    return ((np.transpose(tensor.numpy(), (1, 2, 0)) + 1) / 2.0 * 255.0).astype(np.uint8)


def _mse(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2))


def _psnr(a: np.ndarray, b: np.ndarray, data_range: float) -> float:
    return float(10 * np.log10(float(data_range) ** 2 / _mse(a, b)))


# iDIH, CDTNet and PCT-Net: hdataset.py, then albumentations' Resize on all three, then metrics.py


def _sample(entry: Entry, finished: Path, size: int | None) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Prediction and target (H, W, 3), mask (H, W)."""
    image = cv2.cvtColor(cv2.imread(str(finished)), cv2.COLOR_BGR2RGB)
    target = cv2.cvtColor(cv2.imread(str(entry.target)), cv2.COLOR_BGR2RGB)
    mask = cv2.imread(str(entry.foreground))[:, :, 0].astype(np.float32) / 255.0
    if size is not None:
        image, target, mask = (
            cv2.resize(a, (size, size), interpolation=cv2.INTER_LINEAR) for a in (image, target, mask)
        )
    return tuple(torch.as_tensor(a, dtype=torch.float64) for a in (image, target, mask))


def _errors(pred: torch.Tensor, target: torch.Tensor, mask: torch.Tensor, masked: bool) -> tuple[float, float]:
    squared = mask.unsqueeze(2) * (pred - target) ** 2
    fmse = squared.sum() / (3 * mask.sum() + 1e-6)
    mse = squared.mean() if masked else ((pred - target) ** 2).mean()
    return mse.item(), fmse.item()


def _decibels(error: float, peak: float) -> float:
    return 10 * np.log10(peak**2 / (error + 1e-6))


def idih(entry: Entry, finished: Path) -> dict[str, float]:
    pred, target, mask = _sample(entry, finished, 256)
    mse, fmse = _errors(pred, target, mask, masked=False)
    return {"mse": mse, "fmse": fmse, "psnr": _decibels(mse, target.max().item())}


def cdtnet(entry: Entry, finished: Path, size: int = 256) -> dict[str, float]:
    pred, target, mask = _sample(entry, finished, size)
    mse, fmse = _errors(pred, target, mask, masked=False)
    peak = target.max().item()
    ssim_map = _ssim_map(pred, target, 7, (pred.max() - pred.min()).item(), padding=3)  # (1, 3, H, W)
    fssim = ((ssim_map * mask).sum(3).sum(2) / mask.sum()).mean().item()
    values = {"mse": mse, "fmse": fmse, "psnr": _decibels(mse, peak), "fpsnr": _decibels(fmse, peak)}
    return values | {"ssim": ssim_map.mean().item(), "fssim": fssim}


def pctnet(entry: Entry, finished: Path, size: int | None = None) -> dict[str, float]:
    pred, target, mask = _sample(entry, finished, size)
    mse, fmse = _errors(pred, target, mask, masked=True)
    pasted = pred * mask.unsqueeze(2) + target * (1 - mask.unsqueeze(2))
    ssim = _ssim_map(pasted, target, 11, 255, padding=0).mean().item()
    return {"mse": mse, "fmse": fmse, "psnr": _decibels(mse, 255), "ssim": ssim}


def _ssim_map(a: torch.Tensor, b: torch.Tensor, size: int, data_range: float, padding: int) -> torch.Tensor:
    """pytorch_ssim's and pytorch_msssim's: a Gaussian window of sigma 1.5 on each channel."""
    line = torch.exp(-((torch.arange(size, dtype=torch.float64) - size // 2) ** 2) / (2 * 1.5**2))
    line /= line.sum()
    window = (line[:, None] @ line[None]).expand(3, 1, size, size)
    a, b = (image.permute(2, 0, 1).unsqueeze(0) for image in (a, b))

    def blurred(image: torch.Tensor) -> torch.Tensor:
        return F.conv2d(image, window, padding=padding, groups=3)

    mu_a, mu_b = blurred(a), blurred(b)
    var_a, var_b, covar = blurred(a * a) - mu_a**2, blurred(b * b) - mu_b**2, blurred(a * b) - mu_a * mu_b
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    return (2 * mu_a * mu_b + c1) * (2 * covar + c2) / ((mu_a**2 + mu_b**2 + c1) * (var_a + var_b + c2))


SOURCES = {
    "dovenet": dovenet,
    "dovenet-test": dovenet_test,
    "rainnet": rainnet,
    "idih": idih,
    "cdtnet": cdtnet,
    "cdtnet-1024": lambda entry, finished: cdtnet(entry, finished, 1024),
    "pctnet": pctnet,
    "pctnet-256": lambda entry, finished: pctnet(entry, finished, 256),
}


@pytest.mark.parametrize("protocol", SOURCES)
def test_a_run_gives_the_numbers_of_the_source(protocol: str, soft_set: Dataset, tmp_path: Path) -> None:
    """Without a size said: the protocol's own is taken."""
    images = 1 if protocol == "cdtnet-1024" else IMAGES
    made = tmp_path / "made"
    for entry in soft_set.entries:
        composite = cv2.imread(str(entry.composite))[..., ::-1]
        finished = np.clip(composite * [1.02, 0.97, 1.0] + [0, 3, -2], 0, 255)  # background included
        save(made / f"{entry.id}.png", np.rint(finished).astype(np.uint8))
    options = {"protocol": protocol, "names": [], "predictions": [f"mine={made}"], "limit": images}
    store, summary = go(soft_set.root, tmp_path / "results", size="usual", **options)
    assert not summary.failures
    rows = store.read().set_index("id")
    assert len(rows) == images
    for entry in soft_set.entries[:images]:
        expected = SOURCES[protocol](entry, made / f"{entry.id}.png")
        assert set(expected) == PROTOCOLS[protocol].defines
        for name, value in expected.items():
            assert rows.loc[entry.id, name] == pytest.approx(value, abs=EQUAL), name


def test_every_protocol_of_a_paper_has_its_source_here() -> None:
    assert set(SOURCES) == set(PROTOCOLS) - {"strict", "cdtnet-2048"}  # the last at a costly size


@pytest.mark.parametrize(
    ("protocol", "size", "sentence"),
    [
        ("pctnet", 256, "the protocol pctnet at each picture's own size, which is part of it, but got 256 pixels"),
        ("dovenet", "original", "the protocol dovenet at 256 pixels, which is part of it, but got each picture's own"),
        ("cdtnet-1024", 256, "at 1024 pixels, which is part of it, but got 256 pixels"),
    ],
)
def test_another_size_is_another_protocol(
    protocol: str, size: str | int, sentence: str, soft_set: Dataset, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=sentence):
        go(soft_set.root, tmp_path / "results", protocol=protocol, size=size)


def test_sixty_three_levels_come_back_one_lower() -> None:
    levels = np.arange(256, dtype=np.uint8)
    back = _tensor2im(_normalized(np.repeat(levels[:, None, None], 3, axis=2)))[:, 0, 0]
    assert (back == levels - 1).sum() == 63 and (back == levels).sum() == 193


def test_a_mask_that_vanishes_when_it_is_made_small_is_what_it_touches(tmp_path: Path) -> None:
    mask = np.zeros((600, 700), np.uint8)
    mask[301, 401] = 255
    target = picture(1, 600, 700)
    files = {"composite": 255 - target, "foreground": mask, "target": target}
    paths = {role: save(tmp_path / f"set/{role}/0.png", values) for role, values in files.items()}
    write_manifest(tmp_path / "set", [Entry(id="a", **paths)])
    store, summary = go(tmp_path / "set", tmp_path / "results", names=["composite"], protocol="dovenet", size="usual")
    assert not summary.failures and store.read()["foreground_share"].item() == 2 / 256**2
