"""SIPREC metadata as it really comes, and who is heard where. Errors are documented, entities are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import SipError
from ingest.siprec import (
    ELEMENTS,
    TEXT_CHARS,
    THINGS,
    Metadata,
    Participant,
    RoleRule,
    Speaker,
    masked,
    merge,
    read,
    speakers,
    user,
)

NS = "urn:ietf:params:xml:ns:recording:1"
INNER = """
 <datamode>complete</datamode>
 <session session_id="c2Vzcy0x"><sipSessionID>ab;remote=cd</sipSessionID></session>
 <participant participant_id="P1"><nameID aor="sip:13800001234@carrier.example"><name xml:lang="zh">张三</name></nameID></participant>
 <participant participant_id="P2"><nameID aor="sip:1001@seats.example"><name>Agent Li</name></nameID></participant>
 <stream stream_id="S1" session_id="c2Vzcy0x"><label>1</label></stream>
 <stream stream_id="S2" session_id="c2Vzcy0x"><label>2</label></stream>
 <participantsessionassoc participant_id="P1" session_id="c2Vzcy0x"><associate-time>x</associate-time></participantsessionassoc>
 <participantstreamassoc participant_id="P1"><send>S1</send><recv>S2</recv></participantstreamassoc>
 <participantstreamassoc participant_id="P2"><send>S2</send><recv>S1</recv></participantstreamassoc>
"""  # noqa: E501
PLAIN = f'<?xml version="1.0" encoding="UTF-8"?>\n<recording xmlns="{NS}">{INNER}</recording>'
CUSTOMER = Participant("sip:13800001234@carrier.example", "张三")
AGENT = Participant("sip:1001@seats.example", "Agent Li")
RULES = (RoleRule("aor", "sip:1???@SEATS.example", "agent"),)


def prefixed(prefix: str) -> str:
    text = INNER.replace("<", f"<{prefix}:").replace(f"<{prefix}:/", f"</{prefix}:")
    return f'<{prefix}:recording xmlns:{prefix}="{NS}">{text}</{prefix}:recording>'


DRAFT = """<recording><participant id="P1"><nameID aor="sip:13800001234@carrier.example"><name>张三</name></nameID>
<send>S1</send></participant><participant id="P2"><aor>sip:1001@seats.example</aor><nameID>
<name>Agent Li</name></nameID>
<send>S2</send></participant><session id="c2Vzcy0x"/><stream id="S1"><label>1</label></stream>
<stream id="S2"><label>2</label></stream></recording>"""


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        f"\r\n  {PLAIN}\r\n\r\n",
        PLAIN.replace(f' xmlns="{NS}"', ""),
        PLAIN.replace(NS, "http://vendor.example/2011"),
        PLAIN.replace("</recording>", "<ext:ucid xmlns:ext='x'><ext:name>n</ext:name></ext:ucid></recording>"),
        PLAIN.replace("<datamode>complete</datamode>", ""),
        PLAIN.replace("\n", ""),
        prefixed("ns2"),
        prefixed("undeclared").replace("xmlns:undeclared", "about"),
        DRAFT,
    ],
    ids=["plain", "spaces", "no namespace", "other namespace", "extension", "no mode", "one line", "prefix",
         "undeclared", "draft"],
)  # fmt: skip
def test_every_dialect_says_the_same(text: str) -> None:
    told = read(text.encode())

    assert told == Metadata(
        False, "c2Vzcy0x", {"P1": CUSTOMER, "P2": AGENT}, {"S1": "1", "S2": "2"}, {"S1": "P1", "S2": "P2"}
    )
    assert speakers(told, ["1", "2"], RULES) == [
        Speaker("customer", None, "sip:*******1234@carrier.example", "张…"),
        Speaker("agent", "1001", "sip:1001@seats.example", "Agent Li"),
    ]


@pytest.mark.parametrize(
    ("change", "labels", "expected"),
    [
        ("", ["2", "1"], ["agent", "customer"]),
        ("", ["1"], ["unknown"]),
        ("", ["2", "1", "3"], ["agent", "unknown", "unknown"]),
        ("assoc", ["1", "2"], ["customer", "agent"]),
        ("assoc", ["a_leg", "b_leg"], ["customer", "agent"]),
        ("assoc", ["1", "2", "3"], ["unknown"] * 3),
        ("labels", ["inbound", "outbound"], ["unknown", "unknown"]),
    ],
)
def test_roles_by_address(change: str, labels: list[str], expected: list[str]) -> None:
    text = {"": PLAIN, "assoc": PLAIN.replace("participantstreamassoc", "other"), "labels": PLAIN.replace("label", "x")}
    told = speakers(read(text[change].encode()), labels, RULES)

    assert [one.role for one in told] == expected
    assert all(one.assumed == (change == "assoc" and len(labels) == 2) for one in told)


def test_roles_without_any_metadata() -> None:
    by_label, by_place = (RoleRule("label", "B*", "agent"),), (RoleRule("place", "1", "customer"),)

    assert [one.role for one in speakers(Metadata(), ["a", "b"], by_label)] == ["customer", "agent"]
    assert [one.role for one in speakers(Metadata(), ["m1", "m2"], by_place)] == ["customer", "agent"]
    assert [one.role for one in speakers(Metadata(), ["m1", "m2"], RULES)] == ["unknown", "unknown"]
    assert [one.role for one in speakers(Metadata(), ["m1", "m2", "m3"], by_place)] == [
        "customer",
        "unknown",
        "unknown",
    ]


def test_an_update_changes_what_it_names() -> None:
    old = read(PLAIN.encode())
    update = read(
        b"<recording><datamode> Partial </datamode>"
        b"<participant participant_id='P3'><nameID aor='sip:1002@seats.example'/></participant>"
        b"<participantstreamassoc participant_id='P3'><send>S2</send></participantstreamassoc></recording>"
    )
    new = merge(old, update)

    assert update.partial
    assert speakers(new, ["1", "2"], RULES)[1] == Speaker("agent", "1002", "sip:1002@seats.example", "")
    assert speakers(new, ["1", "2"], RULES)[0] == speakers(old, ["1", "2"], RULES)[0]
    assert new.session == "c2Vzcy0x"
    assert merge(old, read(b"<recording/>")) == Metadata()


def test_a_partial_update_keeps_the_label_and_the_name_that_it_does_not_say() -> None:
    update = read(
        b"<recording><datamode>partial</datamode><stream stream_id='S1'/>"
        b"<participant participant_id='P1'><nameID aor='sip:x@y'/></participant></recording>"
    )
    new = merge(read(PLAIN.encode()), update)

    assert new.labels["S1"] == "1"
    assert new.participants["P1"] == Participant("sip:x@y", "张三")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b'<!DOCTYPE r [<!ENTITY a "b">]><recording>&a;</recording>', "document type"),
        (b'<?xml version="1.0"?><!DOCTYPE r SYSTEM "file:///etc/passwd"><recording/>', "document type"),
        ('<!DOCTYPE r [<!ENTITY a "b">]><recording>&a;</recording>'.encode("utf-16"), "document type"),
        (b"<recording>&undefined;</recording>", "is no XML"),
        (b"<recording>", "is no XML"),
        (b"", "is no XML"),
        (b"IAM,\xff", "is no XML"),
        (b'<?xml version="1.0" encoding="x-none"?><recording/>', "is no XML|encoding"),
        (b"<recording>" + b"<a/>" * ELEMENTS + b"</recording>", "more than 2000 elements"),
        (b"<a>" * 20 + b"</a>" * 20, "deeper than 16"),
        (b"<recording>" + b" " * 70_000 + b"</recording>", "send at most"),
    ],
)
def test_what_cannot_be_is_named(data: bytes, says: str) -> None:
    with pytest.raises(SipError, match=says):
        read(data)


def test_what_a_stranger_writes_is_short_and_one_line() -> None:
    name = "&#10;x" * 100 + "\u202e" + "y" * 5000
    many = "".join(f"<participant participant_id='{n}'/><stream stream_id='{n}'/>" for n in range(200))
    told = read(f"<r><participant participant_id='P'><nameID aor='{'1' * 5000}'><name>{name}</name></nameID>"
                f"</participant><session session_id='{'s' * 5000}'/>{many}</r>".encode())  # fmt: skip

    assert len(told.participants) == THINGS and len(told.labels) == THINGS
    one = told.participants["P"]
    assert len(one.aor) == len(one.name) == len(told.session) == TEXT_CHARS
    assert one.name.isprintable()


@given(st.binary(max_size=100), st.integers(0, len(PLAIN)), st.integers(0, 40))
def test_any_metadata_is_taken_or_refused(junk: bytes, at: int, cut: int) -> None:
    data = PLAIN.encode()
    try:
        told = read(data[:at] + junk + data[at + cut :])
    except SipError as error:
        assert error.status in (400, 413)
        return
    assert all(one.aor.isprintable() and len(one.aor) <= TEXT_CHARS for one in told.participants.values())
    assert len(speakers(told, ["1", "2"], RULES)) == 2


@given(st.text(alphabet="<>/!?&;:= '\"abP1recordingsmtlx", max_size=80))
def test_any_text_is_taken_or_refused(text: str) -> None:
    try:
        read(text.encode())
    except SipError as error:
        assert str(error).startswith("metadata: ")


@pytest.mark.parametrize(
    ("aor", "shown"),
    [
        ("sip:13800001234@x", "sip:*******1234@x"),
        ("tel:+8613800001234", "tel:**********1234"),
        ("sip:sip:12345@x", "sip:*****2345@x"),
        ("sip:1001@x", "sip:****@x"),
        ("12345", "*2345"),
        ("sip:@x", "sip:@x"),
        ("", ""),
    ],
)
def test_numbers_are_masked(aor: str, shown: str) -> None:
    assert masked(aor) == shown


def test_the_user_of_an_address() -> None:
    assert [user(one) for one in ("sip:1001@x", "SIPS:a;p=1", "tel:5?x", "")] == ["1001", "a", "5", ""]
