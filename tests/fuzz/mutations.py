"""Valid files, damaged: bytes overwritten, cut out, doubled, or taken from another file."""

import struct

from hypothesis import strategies as st

# What lengths, counts and offsets are best replaced with.
EDGES = [0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]
WORDS = [struct.pack(form, edge) for edge in EDGES for form in ("<I", ">I")]
WORDS += [struct.pack(form, edge) for edge in EDGES if edge < 65536 for form in ("<H", ">H")]
# What texts trip over.
TOKENS = [b"nan", b"inf", b"-1", b"1e999", b"9" * 5000, b"[" * 3000, b"{", b'"', b"\x00", b"\xff\xfe", b",", b"\n"]
TOKENS += [
    b"\r",
    b"null",
    b"true",
    b"../..",
    b"/etc/passwd",
    b"[]",
    b"{}",
    b"\xf0\x9f\x98\x80",
    b"=",
    b"'''",
    b" " * 999,
]

place = st.floats(0, 1)


def damaged(files: list[bytes], words: list[bytes], most: int = 6) -> st.SearchStrategy[bytes]:
    """One of ``files`` with up to ``most`` damages."""
    damage = st.tuples(
        st.sampled_from(["overwrite", "insert", "cut", "double", "splice", "truncate"]),
        place,
        st.floats(0, 0.05),
        st.sampled_from(words) | st.binary(min_size=1, max_size=8),
        st.sampled_from(files),
    )
    return st.tuples(st.sampled_from(files), st.lists(damage, min_size=1, max_size=most)).map(_apply)


def _apply(chosen: tuple[bytes, list[tuple[str, float, float, bytes, bytes]]]) -> bytes:
    data, damages = chosen
    for what, where, share, word, other in damages:
        # Half of all damages go where headers are.
        start = int(where * 2 * min(300, len(data))) if where < 0.5 else int(where * len(data))
        end = start + 1 + int(share * len(data))
        match what:
            case "overwrite":
                data = data[:start] + word + data[start + len(word) :]
            case "insert":
                data = data[:start] + word + data[start:]
            case "cut":
                data = data[:start] + data[end:]
            case "double":
                data = data[:end] + data[start:]
            case "splice":
                data = data[:start] + other[start:end] + data[end:]
            case "truncate":
                data = data[: max(1, start)]
    return data
