"""Does a sound file end where it should? Reads the last bytes or sizes of a container, decodes nothing."""

from __future__ import annotations

from pathlib import Path

OPEN_END = (0, 0xFFFFFFFF)  # sizes that a writer leaves when it cannot go back: no statement about the length
SLACK_SECONDS = 0.25


def cut_off(path: Path, box: str, declared: float | None, seconds: float) -> str:
    """Why the file seems to end too early, or an empty string. ``declared``: what its head promises."""
    if box == "wav":
        return _wav(path)
    if box == "ogg":
        return _ogg(path)
    # an MP3 without an index only has a guessed length, so it proves nothing
    if box in ("mp3", "aac", "gsm", "amr") or declared is None or declared - seconds <= SLACK_SECONDS:
        return ""
    return f"its head promises {declared:.1f} s"


def _wav(path: Path) -> str:
    """The size that the data chunk names against the bytes that are there."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(12)
        while len(head := file.read(8)) == 8:
            length = int.from_bytes(head[4:], "little")
            if head[:4] == b"data":
                missing = length - (size - file.tell())
                return f"{missing} bytes are missing" if length not in OPEN_END and missing > 0 else ""
            file.seek(length + length % 2, 1)
    return ""


def _ogg(path: Path) -> str:
    """The last page must be whole and marked as the end of its stream."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 131_072))
        tail = file.read()
    at = tail.rfind(b"OggS")
    page = tail[at:]
    if at < 0 or len(page) < 27 or len(page) < 27 + page[26]:
        return "its last page is broken"
    if len(page) < 27 + page[26] + sum(page[27 : 27 + page[26]]):
        return "its last page is broken"
    return "" if page[5] & 4 else "it has no last page"
