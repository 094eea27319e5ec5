"""Programs may send; a web page of another site may not, whatever name it was bound to."""

from __future__ import annotations

import pytest

from ingest.errors import OpenToAll
from ingest.origin import check_bind, is_loopback, refusal


@pytest.mark.parametrize("name", ["127.0.0.1", "127.8.9.1", "localhost", "LOCALHOST.", "::1", "[::1]"])
def test_a_loopback_name_needs_no_key(name: str) -> None:
    assert is_loopback(name)
    check_bind(name, keyless=True)


@pytest.mark.parametrize("name", ["", "0.0.0.0", "::", "10.0.0.7", "seats.example", "127.0.0.1.example"])
def test_an_address_of_others_needs_a_key(name: str) -> None:
    check_bind(name, keyless=False)
    with pytest.raises(OpenToAll, match=r"(?s)^host .*give them a source key.*[^\n]$") as told:
        check_bind(name, keyless=True)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, None),
        ({"Host": "127.0.0.1:9093"}, None),
        ({"Host": "[::1]:9093"}, None),
        ({"Host": "localhost", "Sec-Fetch-Site": "none"}, None),
        ({"Host": "localhost", "Sec-Fetch-Site": "same-origin"}, None),
        ({"Host": "localhost", "Sec-Fetch-Site": "same-site"}, 403),
        ({"Host": "localhost", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Host": "localhost", "Origin": "http://localhost"}, 403),
        ({"Host": "localhost", "Origin": "null"}, 403),
        ({"Host": "evil.example"}, 421),
        ({"Host": "evil.example:9093"}, 421),
        ({"Host": ""}, 421),
    ],
)
def test_what_a_web_page_cannot_help_sending_gives_it_away(headers: dict[str, str], status: int | None) -> None:
    found = refusal(headers, local=True)

    assert (found[0] if found else None) == status


def test_with_keys_or_from_elsewhere_any_name_of_the_server_will_do() -> None:
    assert refusal({"Host": "ingest.example:9093"}, local=False) is None
    assert refusal({"Host": "ingest.example", "Origin": "http://ingest.example"}, local=False) is not None
