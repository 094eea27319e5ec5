"""Recordings of other systems as calls: found by name, laid on two channels, placed by events, stored once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from pydantic import SecretStr

from ingest.events import Event, parse_event
from ingest.session import fold_call
from qa.connections import PbxTable
from qa.deliveries import Refused, Report
from qa.intake.command import fold, take
from qa.intake.keep import Shelf
from qa.intake.placing import events, placed
from qa.intake.plan import checked, plan
from qa.jobs import Worker
from qa.services import Services
from qa.site import rules
from qa.store import calls, queue, recordings, runs
from qa.store.pool import Store
from qa.tables import TableError
from scoring.facts import Cause, Unknown, load
from speech.audio import decode, write_flac
from tests.ingest.values import raw
from tests.postgres import SITE
from tests.qa.lab import ZONE, at, floor, settings
from tests.speech.test_rings import ringing, voice


@pytest_asyncio.fixture
async def site(store: Store, tmp_path: Path) -> Services:
    return Services(settings(tmp_path / "data"), store, SITE)


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    folder = tmp_path / "drop"
    folder.mkdir()
    return folder


def sound(path: Path, seconds: float, *values: int) -> Path:
    """A file whose channels hold one value each."""
    write_flac(path, np.stack([np.full(int(seconds * 8000), value, np.int16) for value in values]))
    return path


def told(**own: Any) -> dict[str, Any]:
    """A call of 5 s ringing and 10 s talk."""
    moments = {"offered_at": 0.0, "ringing_at": 0.0, "answered_at": 5.0, "ended_at": 15.0}
    said = {name: at(seconds).isoformat() for name, seconds in moments.items()}
    return {"direction": "in", "agent": "A01", "seat": "s1", "hung_up_by": "customer", **said, **own}


def beside(path: Path, **own: Any) -> Path:
    raw = {name: value for name, value in told(**own).items() if value is not None}
    path.with_suffix(".json").write_text(json.dumps(raw), encoding="utf-8")
    return path


async def taken(site: Services, *paths: Path, partial: bool = False) -> Any:
    report = await take(site, plan(paths, ZONE), lambda *_: None, name="drop", partial=partial, actor="test")
    await fold(site, lambda: at(3600))
    return report


async def stored(site: Services, name: str) -> tuple[calls.Call, recordings.Recording]:
    async with site.store.site(SITE, "test") as tx:
        (one,) = await recordings.of_call(tx, name)
        return await calls.get(tx, name), one


async def jobs(site: Services) -> dict[str, int]:
    async with site.store.site(SITE, "test") as tx:
        return await queue.waiting(tx)


def files(site: Services) -> list[str]:
    return sorted(path.name for path in site.recordings.rglob("*") if path.is_file())


async def test_a_recording_with_its_sidecar_is_a_call_like_any_other(site: Services, drop: Path) -> None:
    beside(sound(drop / "k1.flac", 10, 300, -700))
    report = await taken(site, drop)
    call, one = await stored(site, "k1")

    assert report.as_dict()["recordings"] == 1 and report.clean
    assert (call.state, call.conclusion, call.agent, call.direction, call.hung_up_by) == (
        "recorded", "answered", "A01", "in", "customer",
    )  # fmt: skip
    assert call.ringing_at == at(0) and call.answered_at == at(5) and call.ended_at == at(15)
    assert (one.duration_ms, one.answer_ms, one.gaps, one.roles, one.origin_at) == (
        10_000, 0, (), ("customer", "agent"), at(5),
    )  # fmt: skip
    heard = decode(site.recordings / one.path)
    assert (heard.pcm[0] == 300).all() and (heard.pcm[1] == -700).all()
    assert await jobs(site) == {"hear": 1}


async def test_the_same_again_is_nothing_new(site: Services, drop: Path) -> None:
    beside(sound(drop / "k1.flac", 10, 300, -700))
    await taken(site, drop)
    before = files(site)
    report = await taken(site, drop)

    assert (report.accepted, report.duplicates, report.clean) == (0, 1, True)
    assert files(site) == before
    assert await jobs(site) == {"hear": 1}


async def test_other_sound_or_another_word_under_the_same_name_is_refused(site: Services, drop: Path) -> None:
    beside(sound(drop / "k1.flac", 10, 300, -700))
    await taken(site, drop)
    sound(drop / "k1.flac", 10, 301, -700)
    other = await taken(site, drop)
    beside(sound(drop / "k1.flac", 10, 300, -700), agent="A02")
    word = await taken(site, drop)

    assert [one.field for one in (*other.refused, *word.refused)] == ["id", "id"]
    assert (await stored(site, "k1"))[0].agent == "A01"


async def test_halves_of_mixmonitor_meet_in_one_recording(site: Services, drop: Path) -> None:
    sound(drop / "1763.7-rx.flac", 10, 300)
    sound(drop / "1763.7-tx.flac", 9, -700)
    (drop / "1763.7.json").write_text(json.dumps(told()))
    await taken(site, drop)
    _, one = await stored(site, "1763.7")
    heard = decode(site.recordings / one.path).pcm

    assert (heard[0] == 300).all()
    assert (heard[1][:72000] == -700).all() and not heard[1][72000:].any()
    assert one.gaps == ({"role": "agent", "start_ms": 9000, "end_ms": 10_000, "cause": "short"},)


async def test_a_half_alone_says_that_the_other_is_missing(site: Services, drop: Path) -> None:
    sound(drop / "k1-tx.flac", 10, -700)
    (drop / "k1.json").write_text(json.dumps(told()))
    await taken(site, drop)

    assert (await stored(site, "k1"))[1].gaps == (
        {"role": "customer", "start_ms": 0, "end_ms": 10_000, "cause": "no_leg"},
    )


@pytest.mark.parametrize(
    ("seconds", "begins", "answer_ms", "causes"),
    [(10.0, 5, 0, []), (9.0, 5, 0, []), (8.0, 5, 0, ["short"] * 2), (15.0, 0, 5000, []), (16.5, 0, 5000, []),
     (6.0, 5, 0, ["clock"] * 2), (30.0, 5, 0, ["clock"] * 2)],
)  # fmt: skip
def test_where_a_recording_lies_is_told_by_the_events_and_never_by_its_start(
    seconds: float, begins: float, answer_ms: int, causes: list[str]
) -> None:
    record, _ = checked(told(), ZONE)
    assert record is not None
    spot = placed(record, int(seconds * 1000), (), ("customer", "agent"))

    assert (spot.origin_at, spot.answer_ms, [gap["cause"] for gap in spot.gaps]) == (at(begins), answer_ms, causes)
    assert ("nobody can say" in (spot.doubt or "")) == (causes == ["clock"] * 2)


async def test_a_recording_that_fits_nowhere_is_kept_and_said_so(site: Services, drop: Path) -> None:
    beside(sound(drop / "k1.flac", 30, 300, -700))
    report = await taken(site, drop)

    assert [note["call"] for note in report.notes] == ["k1"]
    assert {gap["cause"] for gap in (await stored(site, "k1"))[1].gaps} == {"clock"}


async def test_channels_may_come_the_other_way_round(site: Services, drop: Path) -> None:
    beside(sound(drop / "k1.flac", 10, -700, 300), roles=["agent", "customer"])
    await taken(site, drop)

    assert (decode(site.recordings / (await stored(site, "k1"))[1].path).pcm[0] == 300).all()


async def test_one_channel_without_a_word_holds_both_parties(site: Services, drop: Path) -> None:
    beside(sound(drop / "k1.flac", 10, 300))
    await taken(site, drop)

    assert (await stored(site, "k1"))[1].roles == ("unknown",)


async def test_holds_transfers_and_what_senders_know_come_along(site: Services, drop: Path) -> None:
    hold = {"at": at(7).isoformat(), "until": at(9).isoformat()}
    moved = {"at": at(12).isoformat(), "to": "s2", "how": "attended"}
    beside(sound(drop / "k1.flac", 10, 1, 2), holds=[hold], transfers=[moved], rings=2, known_customer=True,
           number="13812345678", queued_at=at(-4).isoformat())  # fmt: skip
    await taken(site, drop)
    record = (await stored(site, "k1"))[0].folded["record"]

    assert len(record["holds"]) == 1 and record["transfers"][0]["to"] == "s2"
    assert (record["rings"], record["known_customer"], record["number"]) == (2, True, "*******5678")
    assert record["queued_at"] == at(-4).isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize(
    ("end", "by"),
    [("abandoned", "customer"), ("no_answer", "system"), ("voicemail", "unknown"), ("probe", "unknown"),
     ("redirected", "unknown"), ("answered", "unknown")],
)  # fmt: skip
def test_a_call_ends_as_its_record_says(end: str, by: str) -> None:
    answered = {} if end == "answered" else {"answered_at": None}
    record, faults = checked(told(end=end, hung_up_by=None, **answered), ZONE)
    assert record is not None, faults
    raws = events("k1", record, 15_000, placed(record, 15_000, (), ("unknown",)), "d")
    call = fold_call([one for one in map(parse_event, raws) if isinstance(one, Event)])

    assert (call.end, call.hung_up_by, call.direction, call.out_of_turn) == (end, by, "in", ())


async def test_an_answer_that_nobody_told_leaves_the_ring_unknown(site: Services, drop: Path) -> None:
    beside(sound(drop / "k1.flac", 10, 1, 2), answered_at=None, ended_at=None, ringing_at=None)
    report = await taken(site, drop)
    call, one = await stored(site, "k1")

    assert (call.conclusion, call.direction, call.agent, call.offered_at) == ("answered", "in", "A01", None)
    assert one.answer_ms == 0
    assert report.notes == [{"call": "k1", "note": "answered_at is not said: its ring time is unknown"}]


async def test_a_line_of_a_list_stands_for_a_sidecar(site: Services, drop: Path) -> None:
    sound(drop / "k1.flac", 10, 300, -700)
    sound(drop / "k2.flac", 10, 300, -700)
    lines = [told(id="k1", kind="call", source="telephony"),
             told(id="9-2", kind="call", evidence=["rec/k2.flac"], source="telephony"),
             told(id="k3", kind="call", source="telephony")]  # fmt: skip
    (drop / "calls.jsonl").write_text("\n".join(json.dumps(one) for one in lines))
    report = await taken(site, drop)

    assert (report.recordings, report.accepted, report.clean) == (2, 3, True)
    assert (await stored(site, "9-2"))[0].agent == "A01"


async def test_a_csv_names_recordings_too(site: Services, drop: Path) -> None:
    sound(drop / "k1.flac", 10, 300, -700)
    names = ("direction", "agent", "offered_at", "answered_at", "ended_at")
    row = ",".join(["k1", *(str(told()[name]) for name in names)])
    (drop / "calls.csv").write_text(f"id,{','.join(names)}\n{row}\n")
    report = await taken(site, drop)

    assert report.clean and report.recordings == 1
    assert (await stored(site, "k1"))[0].answered_at == at(5)


async def test_signalling_that_came_before_places_the_recording(store: Store, tmp_path: Path, drop: Path) -> None:
    """A switchboard told of the call; its recorder delivers the halves later, with no word beside them."""
    async with floor(store, tmp_path / "data") as live:
        own = {"call": "k1", "seat": "s1", "agent": "A01"}
        await live.tell(raw("offered", 0, id="1", direction="in", **own), raw("ringing", 0, id="2", **own),
                        raw("answered", 5, id="3", **own), raw("ended", 15, id="4", by="agent", **own))  # fmt: skip
        await live.turn()
        await live.turn(60)
        assert (await live.call("k1")).state == "recorded" and await live.kept("k1") == []
        sound(drop / "k1-rx.flac", 15, 300)
        sound(drop / "k1-tx.flac", 15, -700)
        site = Services(settings(tmp_path / "data"), store, SITE)
        report = await take(site, plan([drop], ZONE), lambda *_: None, name="drop", partial=False, actor="test")
        again = await take(site, plan([drop], ZONE), lambda *_: None, name="drop", partial=False, actor="test")
        await live.turn()
        (one,) = await live.kept("k1")

        assert (report.recordings, again.duplicates, again.clean) == (1, 1, True)
        assert (one.answer_ms, one.origin_at, one.gaps) == (5000, at(0), ())
        assert (await live.call("k1")).state == "recorded"
        assert (await live.jobs())["hear"] == 2  # once without sound, once with it


async def test_a_recorder_names_files_without_the_switchboards_name(store: Store, tmp_path: Path, drop: Path) -> None:
    """MixMonitor writes both together beside the halves; that file is not wanted."""
    async with floor(store, tmp_path / "data") as live:
        own = {"call": "hq-1763.7", "seat": "s1", "agent": "A01"}
        await live.tell(raw("offered", 0, id="1", direction="in", **own), raw("answered", 5, id="3", **own),
                        raw("ended", 15, id="4", by="agent", **own))  # fmt: skip
        for half, value in (("rx", 300), ("tx", -700), ("mix", 5)):
            sound(drop / f"1763.7-{half}.flac", 10, value)
        pbx = PbxTable(name="hq", ami_user="u", ami_secret=SecretStr("s"))
        site = Services(settings(tmp_path / "data", pbx=(pbx,)), store, SITE)
        for known in (0, 1):
            report = await take(site, plan([drop], ZONE), lambda *_: None, name="drop", partial=False, actor="test")
            assert (report.duplicates, report.clean) == (known, True)
        (one,) = await live.kept("hq-1763.7")

        assert (one.answer_ms, one.origin_at, one.gaps, one.roles) == (0, at(5), (), ("customer", "agent"))


# --- refusals


Wrong = Callable[[Path, str], object]


def damaged(drop: Path, name: str) -> None:
    beside(drop / f"{name}.wav")
    (drop / f"{name}.wav").write_bytes(b"RIFF....WAVEjunk")


def bad(*values: int, json_: str | None = None, **own: Any) -> Wrong:
    def make(drop: Path, name: str) -> None:
        path = sound(drop / f"{name}.flac", 1, *values)
        if json_ is not None:
            path.with_suffix(".json").write_text(json_)
        elif own:
            beside(path, **own)

    return make


def doubled(drop: Path, name: str) -> None:
    sound(drop / f"{name}.flac", 1, 1)
    sound(drop / f"{name}-rx.flac", 1, 1)


MOMENTS = ("offered_at", "ringing_at", "answered_at", "ended_at")
WRONG: dict[str, tuple[Wrong, str]] = {
    "no sound": (damaged, "file"),
    "no word of it": (bad(1, 2), "offered_at"),
    "no moment": (bad(1, 2, **dict.fromkeys(MOMENTS)), "offered_at"),
    "no such field": (bad(1, 2, rate=8000), "rate"),
    "words of others": (bad(1, 2, turns=[]), "turns"),
    "backwards": (bad(1, 2, ended_at=at(-9).isoformat()), "ended_at"),
    "three parties": (bad(1, roles=["agent", "customer"]), "file"),
    "no JSON": (bad(1, json_="{"), "sidecar"),
    "a list beside": (bad(1, json_="[1]"), "record"),
    "twice": (doubled, "file"),
}


async def test_one_that_is_refused_keeps_all_out_unless_a_part_is_asked_for(site: Services, drop: Path) -> None:
    for number, (make, _) in enumerate(WRONG.values(), 1):
        (drop / f"{number:02d}").mkdir()
        make(drop / f"{number:02d}", f"bad{number:02d}")
    beside(sound(drop / "good.flac", 10, 300, -700))
    wrong = [field for _, field in WRONG.values()]
    whole: Report = await taken(site, drop)
    assert (whole.accepted, [one.field for one in sorted(whole.refused, key=_place)]) == (0, wrong)
    assert all(one.file and one.reason and one.id for one in whole.refused)
    assert files(site) == []

    part = await taken(site, drop, partial=True)
    assert (part.accepted, [one.field for one in sorted(part.refused, key=_place)]) == (1, wrong)
    assert len(files(site)) == 1
    assert "good" not in part.as_text() and f"{len(WRONG)} refused" in part.as_text()


def _place(one: Refused) -> str:
    return str(one.file)


async def test_a_call_that_stands_as_a_record_is_not_counted_twice(site: Services, drop: Path) -> None:
    (drop / "calls.jsonl").write_text(json.dumps(told(id="k1", kind="call", source="telephony")))
    assert (await taken(site, drop)).accepted == 1
    (drop / "calls.jsonl").unlink()
    beside(sound(drop / "k1.flac", 10, 300, -700))

    assert [one.field for one in (await taken(site, drop)).refused] == ["id"]


def test_a_folder_without_any_is_said_so(drop: Path) -> None:
    with pytest.raises(TableError, match="no recording and no list"):
        plan([drop], ZONE)
    with pytest.raises(TableError, match="no such file"):
        plan([drop / "x.wav"], ZONE)


def test_what_was_put_on_the_shelf_goes_with_the_transaction(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, SITE)
    shelf.fresh.append(tmp_path / "new.flac")
    (tmp_path / "new.flac").touch()
    shelf.undo()

    assert not (tmp_path / "new.flac").exists()


# --- what rings before the answer


async def test_rings_in_the_sound_that_contradict_signalling_leave_the_ring_unknown(site: Services, drop: Path) -> None:
    """Both recorders began with the offer; the caller of k1 heard nothing ring for 20 s of the 31."""
    rang, silent = np.concatenate([ringing("cn", 31), voice(9)]), np.zeros(20 * 8000)
    late = np.concatenate([silent, ringing("cn", 11), voice(9)])
    for name, line in (("k1", late), ("k2", rang)):
        write_flac(drop / f"{name}.flac", (np.stack([line * 0, line]) * 32767).astype(np.int16))
        beside(drop / f"{name}.flac", answered_at=at(31).isoformat(), ended_at=at(40).isoformat())
    await taken(site, drop)
    own = rules(site.settings, SITE)
    worker = Worker(site.store, lambda _: own, None, site.recordings)
    for name in ("k1", "k2"):
        await worker.hear({"site": SITE, "call": name})
        await worker.hear({"site": SITE, "call": name})  # again is nothing new
    async with site.store.site(SITE, "test") as tx:
        scored = {name: [one async for one in runs.every(tx, f"call:{name}")] for name in ("k1", "k2")}
        (kept,) = await recordings.of_call(tx, "k1")
    told = {name: load(one.facts).call for name, (one,) in scored.items()}

    assert kept.rings is not None and kept.rings["count"] == 3
    assert told["k1"] is not None and told["k1"].ring_count == Unknown(Cause.CLOCK)
    assert told["k2"] is not None and (told["k2"].ring_count, told["k2"].ring_source) == (7, "clock")
