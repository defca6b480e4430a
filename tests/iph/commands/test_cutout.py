"""``iph cutout``: a person with a transparent background, from one photo or a folder."""

from pathlib import Path

import numpy as np
import pytest
from rgb_profiles import PROFILES

from iph.commands.app import main
from iph.images.imagefile import read_photo, write_photo
from iph.images.photo import Photo

GOLDEN = Path(__file__).parents[1] / "masks" / "golden" / "selfie.npz"


@pytest.fixture
def portrait(tmp_path: Path) -> Path:
    write_photo(Photo(np.load(GOLDEN)["portrait_input"]), tmp_path / "photo.png", edited=False)
    return tmp_path / "photo.png"


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as end:
        main(["cutout", *map(str, arguments)])
    return end.value.code


@pytest.mark.parametrize("how", [(), ("--everybody",), ("--click", 80, 120), ("--box", 20, 10, 150, 160)])
def test_a_person_comes_out_with_alpha(portrait: Path, how: tuple) -> None:
    out = portrait.with_name("person.png")
    assert run(portrait, "-o", out, *how) == 0
    photo, cut = read_photo(portrait), read_photo(out)
    assert cut.pixels.shape == photo.pixels.shape and cut.alpha.max() == 255 and cut.alpha.min() == 0
    np.testing.assert_array_equal(cut.pixels[cut.alpha == 255], photo.pixels[cut.alpha == 255])


def test_the_edge_moves_and_softens_by_pixels(portrait: Path) -> None:
    alphas = []
    for name, edge in (("plain", ()), ("less", ("--expand", -3)), ("soft", ("--feather", 4, "--smooth", 1))):
        out = portrait.with_name(f"{name}.png")
        assert run(portrait, "-o", out, *edge) == 0
        alphas.append(read_photo(out).alpha.astype(float))
    plain, less, soft = alphas
    assert (less <= plain).all() and less.sum() < 0.98 * plain.sum()
    partly = [((alpha > 10) & (alpha < 245)).sum() for alpha in (plain, soft)]
    assert partly[1] > 1.5 * partly[0] and soft.sum() == pytest.approx(plain.sum(), rel=0.05)


def test_16_bits_stay_16_bits(portrait: Path) -> None:
    deep = portrait.with_name("deep.tif")
    write_photo(Photo(read_photo(portrait).pixels.astype(np.uint16) * 257, format="TIFF"), deep)
    assert run(deep, "-o", deep.with_name("cut.png")) == 0
    alpha = read_photo(deep.with_name("cut.png")).alpha
    assert alpha.dtype == np.uint16 and len(np.unique(alpha)) > 256


@pytest.mark.parametrize("ending", [".png", ".tif", ".webp"])
def test_the_profile_stays_and_what_was_hidden_stays_hidden(portrait: Path, ending: str) -> None:
    photo = read_photo(portrait)
    alpha = np.full(photo.pixels.shape[:2], 255, np.uint8)
    alpha[:, 90:] = 0
    write_photo(Photo(photo.pixels, alpha, PROFILES["Display P3"]), portrait, edited=False)
    out = portrait.with_name(f"cut{ending}")
    assert run(portrait, "-o", out) == 0
    cut = read_photo(out)
    assert cut.icc == PROFILES["Display P3"] and not cut.alpha[:, 90:].any() and cut.alpha.max() == 255


def test_where_nobody_is_the_command_says_what_was_taken(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    crate = np.full((120, 160, 3), (40, 90, 60), np.uint8)
    crate[40:90, 40:120] = 40, 60, 230
    write_photo(Photo(crate), tmp_path / "crate.png", edited=False)
    assert run(tmp_path / "crate.png", "-o", tmp_path / "cut.png") == 0
    assert "nobody was found in the photo: what stands out most was taken" in capsys.readouterr().out
    assert read_photo(tmp_path / "cut.png").alpha[60, 80] == 255


def test_a_folder_goes_on_after_a_bad_file(portrait: Path, capsys: pytest.CaptureFixture) -> None:
    (portrait.parent / "bad.jpg").write_bytes(b"no picture")
    out = portrait.parent / "people"
    assert run(portrait.parent, "-o", out) == 1
    assert [path.name for path in out.iterdir()] == ["photo.png"]
    assert "iph: bad.jpg: " in capsys.readouterr().err


def test_a_folder_goes_on_whatever_happens_and_keeps_names(
    portrait: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    folder = portrait.parent / "shots"
    folder.mkdir()
    for name in ("IMG.2024", "IMG.2025"):  # pictures without an ending
        (folder / name).write_bytes(portrait.read_bytes())
    assert run(folder, "-o", portrait.parent / "people") == 0
    assert sorted(path.name for path in (portrait.parent / "people").iterdir()) == ["IMG.2024.png", "IMG.2025.png"]

    def too_large(*args: object, **options: object) -> None:
        raise MemoryError("no room")

    monkeypatch.setattr("iph.masks.cutout.cutout", too_large)
    assert run(folder, "-o", portrait.parent / "none") == 1
    assert capsys.readouterr().err.count("a fault of the program: MemoryError('no room')") == 2


def test_bad_input_is_one_sentence(portrait: Path, capsys: pytest.CaptureFixture) -> None:
    grey = portrait.with_name("grey.png")
    write_photo(Photo(np.full((8, 8, 3), 90, np.uint8)), grey, edited=False)
    for arguments, sentence in (
        ((portrait, "-o", portrait.with_name("a.jpg")), "holds transparency"),
        ((portrait, "-o", portrait), "exists"),
        ((portrait, "-o", portrait.with_name("a.png"), "--click", 900, 1), "outside the picture"),
        ((portrait, "-o", portrait.with_name("a.png"), "--click", 9, 1, "--everybody"), "--everybody, or --click"),
        ((portrait, "-o", portrait.with_name("a.png"), "--box", 5, 5, 5, 9), "holds no pixel"),
        ((grey, "-o", portrait.with_name("a.png")), "nobody was found"),
    ):
        assert run(*arguments) == 2
        error = capsys.readouterr().err
        assert sentence in error and error.count("\n") == 1
