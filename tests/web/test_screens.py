"""The built screens as they are served, and the page before they are built."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from qa.web.app import make_app
from qa.web.screens import Screens
from tests.web.conftest import Running

Client = TestClient[Any, Any]
PAGE = '<!doctype html><meta name="style-nonce" content="STYLE_NONCE"><div id="root"></div>'


@pytest.fixture
def built(tmp_path: Path) -> Path:
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(PAGE)
    (folder / "icon.svg").write_text("<svg/>")
    (folder / "assets" / "index-AbC123.js").write_text("let x = 1;")
    (folder / "assets" / "index-AbC123.css").write_text("a{}")
    (tmp_path / "secret").write_text("kept to itself")
    (folder / "link").symlink_to(tmp_path / "secret")
    return folder


def serving(services: Running, folder: Path) -> Client:
    return TestClient(TestServer(make_app(services, screens=Screens(folder))))


async def test_before_the_build_a_page_in_three_languages_reloads_itself(client: Client) -> None:
    answer = await client.get("/")
    text = await answer.text()

    assert answer.status == 503
    assert answer.content_type == "text/html"
    assert all(f'lang="{language}"' in text for language in ("zh-CN", "ko", "en"))
    assert 'http-equiv="refresh"' in text
    nonce = re.search(r'<style nonce="([^"]+)"', text)
    assert nonce and f"'nonce-{nonce[1]}'" in answer.headers["Content-Security-Policy"]


async def test_the_page_appears_as_soon_as_it_is_built(services: Running, tmp_path: Path) -> None:
    async with serving(services, tmp_path) as client:
        assert (await client.get("/")).status == 503
        (tmp_path / "index.html").write_text(PAGE)
        assert (await client.get("/")).status == 200
        (tmp_path / "index.html").write_text(PAGE + "again")
        os.utime(tmp_path / "index.html", ns=(1, 1))
        assert (await (await client.get("/")).text()).endswith("again")


@pytest.mark.parametrize("path", ["/", "/index.html", "/calls/C-01", "/calls/a%2Fb", "/episodes", "/anything"])
async def test_every_address_of_the_screens_gives_the_page(services: Running, built: Path, path: str) -> None:
    async with serving(services, built) as client:
        first, second = await client.get(path), await client.get(path)
        text = await first.text()

        assert first.status == 200
        assert "STYLE_NONCE" not in text
        assert first.headers["Cache-Control"] == "no-store"
        assert text != await second.text(), "each page has a nonce of its own"


async def test_files_are_served_with_type_tag_and_how_long_they_hold(services: Running, built: Path) -> None:
    async with serving(services, built) as client:
        script = await client.get("/assets/index-AbC123.js")
        icon = await client.get("/icon.svg")
        again = await client.get("/icon.svg", headers={"If-None-Match": icon.headers["ETag"]})

        assert script.content_type == "text/javascript"
        assert "immutable" in script.headers["Cache-Control"]
        assert (icon.content_type, icon.headers["Cache-Control"]) == ("image/svg+xml", "no-cache")
        assert again.status == 304


@pytest.mark.parametrize("path", ["/api/v1/none", "/api/none", "/assets/none.js", "/healthz/x", "/assets/"])
async def test_what_is_no_screen_and_no_file_is_a_problem(services: Running, built: Path, path: str) -> None:
    async with serving(services, built) as client:
        answer = await client.get(path)

        assert answer.status == 404
        assert answer.content_type == "application/problem+json"


PAYLOADS = [
    start + dots * 3 + "secret"
    for start in ("/", "/assets/", "//", "/%2f", "/assets%2f")
    for dots in ("../", "..%2f", "%2e%2e/", "..%5c", "..\\", "%252e%252e%252f", "..;/", "....//", "..%c0%af", "%00../")
]


@pytest.mark.parametrize("path", [*PAYLOADS, "/link", "/static/link", "/assets/../link", "/%2e%2e/secret"])
async def test_no_address_leads_out_of_the_build(services: Running, built: Path, path: str) -> None:
    from yarl import URL

    async with serving(services, built) as client:
        url = str(client.make_url("/")).rstrip("/") + path
        answer = await client.session.get(URL(url, encoded=True))

        assert answer.status in (200, 400, 404)
        assert "kept to itself" not in await answer.text()
