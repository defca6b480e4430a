"""The study file: what is accepted, and what a person is told about a mistake."""

import io

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin
from study_files import PAIRS, RATERS, write_pictures, write_study

from iph.images.imagefile import read_photo
from userstudy.design.pictures import find_pictures, neutral_png, picture_id
from userstudy.design.study_file import load_study
from userstudy.design.toml_lines import line_of
from userstudy.errors import InputError


def problem(path) -> str:
    with pytest.raises(InputError) as caught:
        load_study(path)
    return str(caught.value)


def test_a_small_file_is_enough(tmp_path):
    study = load_study(write_study(tmp_path))
    assert study.methods == ("BargainNet", "DoveNet", "IPH", "RainNet")
    assert study.items == tuple(f"photo-{n}" for n in range(1, 6))
    assert study.pictures["photo-2", "IPH"].name == "photo-2.png"
    assert study.database_url == f"sqlite:///{tmp_path}/trial.db"


def test_a_results_folder_of_bench_is_read(tmp_path):
    write_pictures(tmp_path / "results" / "sample" / "pictures")
    path = write_study(tmp_path)
    path.write_text(path.read_text().replace('"methods"', '"results/sample"'))
    assert load_study(path).pictures["photo-1", "IPH"].parent == tmp_path / "results" / "sample" / "pictures" / "IPH"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "per_rater = 6",
            "per_ratr = 6",
            ("line 10", "unknown key 'per_ratr' in [pairs]", "did you mean 'per_rater'?"),
        ),
        ("[raters]", "[rater]", ("unknown key 'rater'", "did you mean 'raters'?", "line 13")),
        ("number = 30", "number = 0", ("line 14", "'number' in [raters]", "greater than or equal to 1", "got 0")),
        ("number = 30", 'number = "many"', ("line 14", "valid integer", "got 'many'")),
        ("number = 30", "", ("'number' in [raters] is missing", "line 13")),
        ('"skip"]', '"skipp"]', ("line 11", "'tie', 'both_bad' or 'skip'", "got 'skipp'")),
        ('name = "trial"', "name = trial", ("not valid TOML", "line 1")),
        ("per_rater = 6", "per_rater = 31", ("per_rater is 31", "only 30 different pairs")),
        ('"methods"', '"method"', ("there is no such folder",)),
        ('"methods"', '"methods"\nmethods = ["IHP", "DoveNet"]', ("'IHP'", "did you mean 'IPH'?")),
        ('"methods"', '"methods"\nmethods = ["IPH"]', ("at least two methods", "['IPH']")),
        ('"methods"', '"methods"\nitems = ["photo-1", "foto-2"]', ("'foto-2'", "did you mean 'photo-2'?")),
        ('"methods"', '"methods"\nitems = 9', ("asks for 9 pictures", "have 5")),
        ('"methods"', '"methods"\ncomposite = "raw"', ()),
        ("per_rater = 6", "per_rater = 6\nrepeats = 7", ("repeats (7) cannot exceed per_rater (6)",)),
        (
            "[raters]",
            "[ranking]\nper_rater = 2\nwith_composite = true\nshow_composite = true\n[raters]",
            ("exclude each other in a ranking",),
        ),
        (
            "[raters]",
            '[[pairs.golden]]\nitem = "photo-1"\nbetter = "IPH"\nworse = "composit"\n[raters]',
            ("golden pair names 'composit'", "did you mean 'composite'?"),
        ),
        (
            "[raters]",
            '[[pairs.golden]]\nitem = "photo-1"\nbetter = "IPH"\nwrose = "composite"\n[raters]',
            ("line 16", "unknown key 'wrose' in [pairs.golden]", "did you mean 'worse'?"),
        ),
        (
            "[raters]",
            '[completion]\nredirect = "https://app.prolific.co/submissions/complete?cc={code}"\n[raters]',
            ("line 14", ".com", "not .co"),
        ),
    ],
)
def test_a_mistake_is_told_with_its_line_and_the_nearest_name(tmp_path, old, new, expected):
    path = write_study(tmp_path)
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    if not expected:  # another name for the composite makes its folder a method like any other
        assert "composite" in load_study(path).methods
        return
    message = problem(path)
    for part in expected:
        assert part in message, message


def test_a_misspelt_key_is_one_sentence(tmp_path):
    path = write_study(tmp_path)
    path.write_text(path.read_text().replace("per_rater = 6", "per_ratr = 6"))
    assert problem(path).count("\n") == 0


def test_missing_and_unequal_pictures_are_named(tmp_path):
    path = write_study(tmp_path)
    (tmp_path / "methods" / "IPH" / "photo-3.png").unlink()
    assert "method 'IPH' lacks 1 of 5 pictures: photo-3" in problem(path)
    Image.new("RGB", (10, 12)).save(tmp_path / "methods" / "IPH" / "photo-3.png")
    assert "'photo-3' differ in size" in problem(path) and "IPH 10×12" in problem(path)
    (tmp_path / "methods" / "IPH" / "photo-3.png").write_text("not a picture")
    assert "photo-3.png cannot be read as a picture" in problem(path)


def test_what_a_system_leaves_beside_pictures_is_none(tmp_path):
    path = write_study(tmp_path)
    clean = load_study(path)
    methods = tmp_path / "methods"
    for file in list(methods.rglob("*.png")):
        file.with_name(f"._{file.name}").write_bytes(b"\x00\x05\x16\x07")
    for name in (".DS_Store", "Thumbs.db", "IPH/desktop.ini"):
        (methods / name).write_bytes(b"\xff\xd8")
    for name in ("__MACOSX/IPH", "@eaDir/IPH", ".hidden", "IPH/folder.png"):
        (methods / name).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(methods / name / "photo-1.png")
    for name in ("__MACOSX", "@eaDir"):
        Image.new("RGB", (8, 8)).save(methods / name / "photo-1.png")
    assert load_study(path) == clean


@pytest.mark.parametrize("other", [".jpg", ".bmp", ".PNG"])
def test_two_files_of_one_picture_are_no_choice(tmp_path, other):
    path = write_study(tmp_path)
    Image.new("RGB", (48, 32)).save(tmp_path / f"methods/IPH/photo-2{other}")
    assert "expected one file for 'photo-2'" in problem(path)


def test_golden_pairs_and_shown_composite_need_its_pictures(tmp_path):
    path = write_study(tmp_path, PAIRS.replace("6", "6\nshow_composite = true") + RATERS)
    assert load_study(path).pictures["photo-1", "composite"].exists()
    for picture in (tmp_path / "methods" / "composite").iterdir():
        picture.unlink()
    assert "the study shows the composite" in problem(path)


def test_the_design_hash_ignores_words_and_notices_the_design(tmp_path):
    path = write_study(tmp_path)
    first = load_study(path).design_hash
    path.write_text(path.read_text().replace("We store your answers", "We keep your answers"))
    assert load_study(path).design_hash == first
    path.write_text(path.read_text().replace("per_rater = 6", "per_rater = 7"))
    assert load_study(path).design_hash != first


def test_pictures_are_shown_without_traces(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (9, 7, 3), dtype=np.uint8)
    text = PngImagePlugin.PngInfo()
    text.add_text("Software", "IPH")
    Image.fromarray(pixels).save(tmp_path / "a.png", pnginfo=text)
    assert b"IPH" in (tmp_path / "a.png").read_bytes()
    shown = neutral_png(tmp_path / "a.png")
    assert b"IPH" not in shown and b"Software" not in shown
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(shown))), pixels)


@pytest.mark.parametrize(("suffix", "mode"), [(".jpg", "RGB"), (".jpg", "CMYK"), (".webp", "RGB"), (".tif", "L")])
def test_other_forms_become_png_pixel_for_pixel(tmp_path, suffix, mode):
    path = tmp_path / f"a{suffix}"
    Image.fromarray(np.arange(192, dtype=np.uint8).reshape(8, 8, 3)).convert(mode).save(path, lossless=True)
    shown = Image.open(io.BytesIO(neutral_png(path)))
    assert shown.format == "PNG"
    expected = np.asarray(Image.open(path).convert("RGB")).astype(int)
    assert np.abs(np.asarray(shown) - expected).max() <= (mode == "CMYK")  # without a profile: how halves are rounded


PATTERN = np.random.default_rng(1).integers(0, 256, (6, 10, 3), dtype=np.uint8)


def turned(orientation: int) -> tuple[Image.Image, bytes]:
    """The pattern as a camera stores it that was held otherwise, and the EXIF block that says so."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    way = {1: None, 3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    upright = Image.fromarray(PATTERN)
    return upright if way[orientation] is None else upright.transpose(way[orientation]), exif.tobytes()


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("ending", [".png", ".tif", ".webp"])
def test_raters_see_pictures_upright(tmp_path, orientation, ending):
    image, exif = turned(orientation)
    image.save(tmp_path / f"a{ending}", exif=exif, lossless=True)
    shown = neutral_png(tmp_path / f"a{ending}")
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(shown))), PATTERN) and b"eXIf" not in shown


def test_a_png_whose_xmp_alone_says_how_it_is_turned(tmp_path):
    image, _ = turned(6)
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", '<x:xmpmeta xmlns:x="adobe:ns:meta/" tiff:Orientation="6"/>')
    image.save(tmp_path / "a.png", pnginfo=info)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(neutral_png(tmp_path / "a.png")))), PATTERN)


def test_pictures_are_compared_upright(tmp_path):
    """A sideways JPEG of a camera and an upright PNG are one size; a sideways PNG and its own pixels are not."""
    for method in "ab":
        (tmp_path / method).mkdir()
    image, exif = turned(6)
    image.save(tmp_path / "a" / "p.jpg", exif=exif)
    Image.fromarray(PATTERN).save(tmp_path / "b" / "p.png")
    find_pictures(tmp_path, "composite", (), (), 0, False)
    image.save(tmp_path / "b" / "p.png")
    with pytest.raises(InputError, match="differ in size.*a 10×6, b 6×10"):
        find_pictures(tmp_path, "composite", (), (), 0, False)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("channels", [1, 3])
def test_16_bits_in_either_order_look_as_they_are(tmp_path, order, channels):
    deep = PATTERN[..., :channels].squeeze().astype(np.uint16) * 257
    tifffile.imwrite(tmp_path / "a.tif", deep, byteorder=order)
    shown = read_photo(neutral_png(tmp_path / "a.tif"))
    expected = deep if channels == 3 else np.repeat(deep[..., None], 3, 2)
    assert np.array_equal(shown.pixels, expected)


@pytest.mark.parametrize("kind", [np.float32, np.int32, np.uint32])
@pytest.mark.parametrize("channels", [1, 3])
def test_numbers_without_a_white_are_refused_before_a_rater_comes(tmp_path, kind, channels):
    for method in "ab":
        (tmp_path / method).mkdir()
        tifffile.imwrite(tmp_path / method / "p.tif", (PATTERN[..., :channels].squeeze() / 255).astype(kind))
    with pytest.raises(InputError, match="p.tif cannot be read as a picture that raters can be shown: expected"):
        find_pictures(tmp_path, "composite", (), (), 0, False)


def test_a_cut_off_picture_is_refused_before_a_rater_comes(tmp_path):
    for method in "ab":
        (tmp_path / method).mkdir()
        Image.fromarray(PATTERN.repeat(20, 0)).save(tmp_path / method / "p.png")
    whole = (tmp_path / "a" / "p.png").read_bytes()
    (tmp_path / "a" / "p.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="p.png cannot be read as a picture"):
        find_pictures(tmp_path, "composite", (), (), 0, False)


def test_picture_names_say_nothing_and_depend_on_the_secret():
    ids = {picture_id(secret, item, method) for secret in (b"a", b"b") for item in "xy" for method in ("IPH", "Raw")}
    assert len(ids) == 8
    assert all(len(name) == 32 and set(name) <= set("0123456789abcdef") for name in ids)


@given(st.integers(0, 3), st.integers(0, 20), st.booleans())
def test_the_line_of_a_key_in_an_array_of_tables(which, blank, with_text):
    before = "a = 1\n" + "\n" * blank + ('b = """\n[[t.golden]]\nx = 1\n"""\n' if with_text else "")
    text = before + "[t]\n" + "[[t.golden]]\n# a comment\nx = 2\n" * 4
    expected = before.count("\n") + 1 + 3 * which + 3
    assert line_of(text, ("t", "golden", which, "x")) == expected
    assert line_of(text, ("t", "golden", which, "absent")) == expected - 2
