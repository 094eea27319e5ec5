"""What the product writes holds what people said: nothing of it is for other users of the machine. Reads nothing."""

from __future__ import annotations

import os

OTHERS = 0o007


def keep_private() -> None:
    """From now on no file or folder of this process can be read by others; what its owner forbids stays forbidden."""
    os.umask(os.umask(OTHERS) | OTHERS)
