"""The Range header as values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.web.ranges import Unsatisfiable, read


@pytest.mark.parametrize(
    ("header", "part"),
    [
        (None, None),
        ("bytes=0-0", (0, 0)),
        ("bytes=0-9", (0, 9)),
        ("bytes=5-", (5, 9)),
        ("bytes=9-9", (9, 9)),
        ("bytes=-3", (7, 9)),
        ("bytes=-30", (0, 9)),
        ("bytes=0-99", (0, 9)),
        ("bytes=4-2", None),
        ("bytes=0-1,3-4", None),
        ("items=0-1", None),
        ("", None),
    ],
)
def test_a_header_names_a_part_of_ten_bytes(header: str | None, part: tuple[int, int] | None) -> None:
    assert read(header, 10) == part


@pytest.mark.parametrize(
    ("header", "size"), [("bytes=10-", 10), ("bytes=10-20", 10), ("bytes=-0", 10), ("bytes=-1", 0)]
)
def test_a_part_that_does_not_exist_is_refused(header: str, size: int) -> None:
    with pytest.raises(Unsatisfiable):
        read(header, size)


@given(st.text(max_size=60) | st.from_regex(r"bytes=\d{0,25}-\d{0,25}", fullmatch=True), st.integers(0, 10**9))
def test_any_header_gives_a_part_inside_the_file_or_the_documented_error(header: str, size: int) -> None:
    try:
        part = read(header, size)
    except Unsatisfiable:
        return
    assert part is None or 0 <= part[0] <= part[1] < size
