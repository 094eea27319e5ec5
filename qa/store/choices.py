"""What a site has set for itself, as JSON values by key. What a key means is for its reader to say."""

from __future__ import annotations

from typing import Any

from qa.store.canon import dumps, loads
from qa.store.pool import Tx


async def get(tx: Tx, key: str, default: Any = None) -> Any:
    text = await tx.value("sites.setting", key)
    return default if text is None else loads(text)


async def put(tx: Tx, key: str, value: object) -> None:
    await tx.run("sites.set", key, dumps(value))


async def first(tx: Tx, key: str, value: object) -> Any:
    """Set it unless it is set; what stands."""
    await tx.run("sites.set_first", key, dumps(value))
    return await get(tx, key)
