"""``.cube`` files against colour-science, which has its own reader and interpolation."""

import numpy as np
import pytest

from iph.cube import Cube, apply_cube, lattice, read_cube, write_cube
from iph.errors import InputError

with np.printoptions():  # importing it shortens how numpy writes numbers, for every test after this one
    import colour

HEAD = "LUT_3D_SIZE 2\n"
ROWS = [f"{r} {g} {b}" for b in (0, 1) for g in (0, 1) for r in (0, 1)]


def random_table(size: int) -> np.ndarray:
    return np.random.default_rng(size).random((size, size, size, 3))


@pytest.mark.parametrize("size", [17, 33])
def test_an_independent_reader_finds_the_same_table(tmp_path, size):
    write_cube(tmp_path / "look.cube", random_table(size), 'A "look" in ünicode')
    other = colour.read_LUT(str(tmp_path / "look.cube"))
    np.testing.assert_allclose(other.table, random_table(size), atol=1e-7)
    assert other.name == "A look in nicode"
    colors = np.random.default_rng(1).random((500, 3))
    expected = other.apply(colors, interpolator=colour.algebra.table_interpolation_trilinear)
    np.testing.assert_allclose(apply_cube(colors, read_cube(tmp_path / "look.cube")), expected, atol=1e-6)


def test_what_is_written_is_what_is_read(tmp_path):
    write_cube(tmp_path / "look.cube", random_table(5), "Five")
    cube = read_cube(tmp_path / "look.cube")
    np.testing.assert_allclose(cube.table, random_table(5), atol=1e-7)
    assert cube.title == "Five" and cube.table.dtype == np.float32
    assert cube.low.tolist() == [0, 0, 0] and cube.high.tolist() == [1, 1, 1]


def test_the_file_is_the_plain_form_every_editor_reads(tmp_path):
    write_cube(tmp_path / "look.cube", lattice(2), "Plain")
    comment, *lines = (tmp_path / "look.cube").read_bytes().decode("ascii").split("\n")
    assert comment.startswith("# For pictures in sRGB")
    assert lines[:4] == ['TITLE "Plain"', "LUT_3D_SIZE 2", "DOMAIN_MIN 0.0 0.0 0.0", "DOMAIN_MAX 1.0 1.0 1.0"]
    assert lines[4:6] == ["0.0000000 0.0000000 0.0000000", "1.0000000 0.0000000 0.0000000"]  # red fastest
    assert len(lines) == 4 + 8 + 1


def test_identity_returns_the_colors_and_the_border_holds():
    cube = Cube(lattice(9).astype(np.float32), np.zeros(3), np.ones(3))
    colors = np.random.default_rng(2).uniform(-0.5, 1.5, (7, 9, 3)).astype(np.float32)
    out = apply_cube(colors, cube)
    assert out.shape == colors.shape and out.dtype == np.float32
    np.testing.assert_allclose(out, np.clip(colors, 0, 1), atol=1e-6)


def test_headers_as_other_programs_write_them(tmp_path):
    path = tmp_path / "other.cube"
    text = '\ufeff# a comment\r\nTITLE "Two words"\r\n\r\nLUT_IN_VIDEO_RANGE\r\nLUT_3D_INPUT_RANGE -1.0 3.0\r\n'
    path.write_bytes((text + HEAD + "\r\n".join(ROWS)).encode())
    cube = read_cube(path)
    assert cube.title == "Two words" and cube.low.tolist() == [-1, -1, -1] and cube.high.tolist() == [3, 3, 3]
    np.testing.assert_allclose(apply_cube(np.array([[-1.0, 1, 3]]), cube), [[0, 0.5, 1]])


@pytest.mark.shared
def test_the_shared_film_looks_are_read_as_colour_science_reads_them(shared):
    paths = sorted((shared / "luts").rglob("*.cube"))
    assert len(paths) == 91
    for path in paths:
        assert read_cube(path).table.shape == (13, 13, 13, 3)
    np.testing.assert_allclose(read_cube(paths[0]).table, colour.read_LUT(str(paths[0])).table, atol=1e-6)


@pytest.mark.parametrize(
    "text, part",
    [
        ("", "LUT_3D_SIZE"),
        ("\x00\x01\x02 not text", "LUT_3D_SIZE"),
        ("LUT_3D_SIZE two\n", "line 1: expected a table size"),
        ("LUT_3D_SIZE 9999\n", "line 1: expected a table size"),
        ("LUT_1D_SIZE 16\n", "line 1: expected a 3D table"),
        (HEAD + "\n".join(ROWS[:-1]), "line 8: expected 2³ = 8 rows of colours, got 7"),
        (HEAD + "\n".join([*ROWS, ROWS[0]]), "line 10: expected 2³ = 8 rows of colours, got 9"),
        (HEAD + "\n".join([*ROWS[:3], "0 0", *ROWS[4:]]), "line 5: expected 3 numbers, got 2"),
        (HEAD + "\n".join([*ROWS[:3], "0 0 0,5", *ROWS[4:]]), "line 5: expected 3 numbers"),
        (HEAD + "\n".join([*ROWS[:3], "0 0 nan", *ROWS[4:]]), "line 5: expected 3 numbers"),
        (HEAD + "\n".join([*ROWS[:3], "nan 0 0", *ROWS[4:]]), "line 5: expected 3 numbers"),
        (HEAD + "DOMAIN_MIN 0 0\n" + "\n".join(ROWS), "line 2: expected 3 numbers"),
        (HEAD + "DOMAIN_MAX 0 1 1\n" + "\n".join(ROWS), "DOMAIN_MIN below DOMAIN_MAX"),
    ],
)
def test_a_broken_file_is_named_with_its_line(tmp_path, text, part):
    (tmp_path / "broken.cube").write_text(text)
    with pytest.raises(InputError) as error:
        read_cube(tmp_path / "broken.cube")
    assert part in str(error.value) and "broken.cube" in str(error.value)


def test_a_missing_file_is_a_sentence(tmp_path):
    with pytest.raises(InputError, match="readable .cube file"):
        read_cube(tmp_path / "none.cube")
