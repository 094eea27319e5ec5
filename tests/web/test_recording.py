"""Recordings leave whole or in part, only after the log, and from no other folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp.test_utils import TestClient, TestServer

from qa.store import access, recordings
from qa.store.pool import Store
from qa.store.postgres import Embedded
from qa.web.app import make_app
from tests.postgres import SITE, as_superuser
from tests.web import seed
from tests.web.conftest import CALLS, Running, running

Client = TestClient[Any, Any]
SOUND = "/api/v1/calls/C-01/recording"


async def whole(client: Client) -> bytes:
    return await (await client.get(SOUND)).read()


async def looks(store: Store, call: str) -> list[access.Look]:
    async with store.site(SITE, "test") as tx:
        return await access.of_call(tx, call)


async def test_a_recording_is_sent_whole_with_its_type_and_tag(client: Client) -> None:
    answer = await client.get(SOUND)
    body = await answer.read()

    assert answer.status == 200
    assert answer.content_type == "audio/flac"
    assert body.startswith(b"fLaC")
    assert int(answer.headers["Content-Length"]) == len(body)
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    ("header", "first", "last"),
    [("bytes=0-99", 0, 99), ("bytes=100-", 100, None), ("bytes=-50", -50, None), ("bytes=0-999999999", 0, None)],
)
async def test_a_part_is_answered_with_206(client: Client, header: str, first: int, last: int | None) -> None:
    body = await whole(client)
    answer = await client.get(SOUND, headers={"Range": header})
    begin = first % len(body) if first < 0 else first
    end = len(body) - 1 if last is None else last

    assert answer.status == 206
    assert await answer.read() == body[begin : end + 1]
    assert answer.headers["Content-Range"] == f"bytes {begin}-{end}/{len(body)}"


@pytest.mark.parametrize("header", ["bytes=99999999-", "bytes=-0"])
async def test_a_part_outside_is_answered_with_416(client: Client, header: str) -> None:
    size = len(await whole(client))
    answer = await client.get(SOUND, headers={"Range": header})

    assert answer.status == 416
    assert answer.headers["Content-Range"] == f"bytes */{size}"
    assert (await answer.json())["status"] == 416


@pytest.mark.parametrize("header", ["bytes=0-1,4-5", "lines=1-2", "bytes=5-2", "bytes=-", "bytes=x-y", "bytes=٣-٤"])
async def test_a_range_that_is_none_is_answered_with_the_whole(client: Client, header: str) -> None:
    answer = await client.get(SOUND, headers={"Range": header})

    assert (answer.status, await answer.read()) == (200, await whole(client))


async def test_a_part_of_another_version_is_answered_with_the_whole(client: Client) -> None:
    tag = (await client.get(SOUND)).headers["ETag"]
    same = await client.get(SOUND, headers={"Range": "bytes=0-9", "If-Range": tag})
    other = await client.get(SOUND, headers={"Range": "bytes=0-9", "If-Range": '"old"'})

    assert (same.status, other.status) == (206, 200)


async def test_head_tells_length_and_sends_nothing(client: Client) -> None:
    size = len(await whole(client))
    answer = await client.head(SOUND)

    assert answer.status == 200
    assert int(answer.headers["Content-Length"]) == size
    assert await answer.read() == b""


async def test_what_the_client_has_is_not_sent_again(client: Client) -> None:
    tag = (await client.get(SOUND)).headers["ETag"]
    answer = await client.get(SOUND, headers={"If-None-Match": tag})

    assert (answer.status, await answer.read()) == (304, b"")


@pytest.mark.parametrize(
    ("part", "what"), [("recording", "audio"), ("transcript", "transcript"), ("scorecard", "card")]
)
async def test_every_opening_is_in_the_log_with_purpose_place_and_person(
    client: Client, services: Running, part: str, what: str
) -> None:
    before = await looks(services.store, "C-04")
    await (await client.get(f"/api/v1/calls/C-04/{part}?purpose=appeal")).read()
    now = await looks(services.store, "C-04")

    assert len(now) == len(before) + 1
    assert (now[0].what, now[0].purpose, now[0].actor, now[0].place) == (what, "appeal", "owner", "127.0.0.1")
    assert now[0].person == "A03"


async def test_a_purpose_that_is_none_opens_nothing(client: Client, services: Running) -> None:
    before = await looks(services.store, "C-01")
    answer = await client.get(SOUND + "?purpose=fun")

    assert answer.status == 400
    assert await looks(services.store, "C-01") == before


@pytest.fixture
async def alone(dsn: str, tmp_path: Path) -> AsyncIterator[tuple[Client, Running]]:
    """One call on a database of its own, to be broken."""
    store = await Store.open(dsn)
    services = running(store, tmp_path)
    await seed.put(store, SITE, services.recordings, CALLS[0])
    async with TestClient(TestServer(make_app(services))) as client:
        yield client, services
    await store.close()


async def test_nothing_is_served_while_the_log_cannot_be_written(
    alone: tuple[Client, Running], cluster: Embedded, dsn: str
) -> None:
    client, _ = alone
    database = urlsplit(dsn).path.lstrip("/")
    await as_superuser(cluster, "REVOKE INSERT ON access_log FROM seatwatch_app", database=database)

    for part in ("recording", "transcript", "scorecard"):
        answer = await client.get(f"/api/v1/calls/C-01/{part}")
        assert answer.status == 500
        assert answer.content_type == "application/problem+json"
        assert b"fLaC" not in await answer.read()


HOSTILE = [
    "../secret.flac", "main/../../secret.flac", "/etc/passwd", "main/link.flac", "linked/secret.flac", "main", "",
    "main/./../../secret.flac", "..\\secret.flac", "main/..%2f..%2fsecret.flac",
    "main/x\\..\\..\\secret.flac", "main/pipe",
]  # fmt: skip


@pytest.mark.parametrize("path", HOSTILE)
async def test_a_path_that_leads_out_of_the_folder_is_no_recording(alone: tuple[Client, Running], path: str) -> None:
    client, services = alone
    (services.recordings.parent / "secret.flac").write_bytes(b"fLaC secret")
    (services.recordings / "main" / "link.flac").symlink_to(services.recordings.parent / "secret.flac")
    (services.recordings / "linked").symlink_to(services.recordings.parent)
    async with services.store.site(SITE, "test") as tx:
        for old in await recordings.of_call(tx, "C-01"):
            await recordings.drop(tx, old.id)  # type: ignore[arg-type]
        row = recordings.Recording(
            call="C-01", path=path, audio_sha="0" * 64, format="flac", rate=8000, channels=2, size_bytes=1,
            duration_ms=1, answer_ms=0, roles=("customer", "agent"),
        )  # fmt: skip
        await recordings.add(tx, row)

    answer = await client.get(SOUND)

    assert answer.status == 404
    assert b"secret" not in await answer.read()


async def test_a_recording_whose_file_is_gone_says_so(alone: tuple[Client, Running]) -> None:
    client, services = alone
    for path in (services.recordings / "main").iterdir():
        path.unlink()

    answer = await client.get(SOUND)

    assert answer.status == 404
    assert "backup" in (await answer.json())["detail"]
