"""Values that the tests of ingest share: events as they are sent, and strategies that make them. Tests nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from ingest.events import Event, parse_event

T0 = datetime(2026, 3, 1, 9, 0, 0, tzinfo=UTC)
SECRET = b"a secret of thirty-two bytes ...!"


def raw(kind: str, at: float = 0, **own: Any) -> dict[str, Any]:
    """One event as JSON, *at* seconds after T0."""
    base: dict[str, Any] = {"source": "pbx", "id": f"{kind}-{at}", "at": moment(at).isoformat(), "type": kind}
    if kind in ("seat", "presence"):
        base["seat"] = "s1"
    else:
        base["call"] = "c1"
    if kind == "leg":
        base["leg"] = "agent"
    if kind == "seat":
        base["status"] = "ready"
    if kind == "presence":
        base["present"] = "no"
    return {**base, **own}


def event(kind: str, at: float = 0, **own: Any) -> Event:
    found = parse_event(raw(kind, at, **own))
    assert isinstance(found, Event), found
    return found


def moment(at: float) -> datetime:
    return T0 + timedelta(seconds=at)


_OWN: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "offered": st.fixed_dictionaries(
        {}, optional={"direction": st.sampled_from(["in", "out"]), "probe": st.booleans()}
    ),
    "redirected": st.fixed_dictionaries({}, optional={"to": st.sampled_from(["voicemail", "s2"])}),
    "transferred": st.fixed_dictionaries({}, optional={"how": st.sampled_from(["blind", "attended"])}),
    "ended": st.fixed_dictionaries(
        {}, optional={"by": st.sampled_from(["customer", "agent", "system"]), "rings": st.integers(0, 9)}
    ),
    "leg": st.fixed_dictionaries({}, optional={"role": st.sampled_from(["agent", "customer"])}),
    "seat": st.fixed_dictionaries(
        {"status": st.sampled_from(["ready", "busy", "talking", "unknown", "offline"])},
        optional={"agent": st.sampled_from(["A01", "A02"])},
    ),
    "presence": st.fixed_dictionaries(
        {"present": st.sampled_from(["yes", "no", "unknown"])},
        optional={
            "by": st.sampled_from(["sensor", "person", "inferred"]),
            "agent": st.sampled_from(["A01", "A02"]),
        },
    ),
}
CALL_KINDS = ("offered", "ringing", "answered", "held", "resumed", "transferred", "redirected", "ended", "leg")


@st.composite
def events_of(
    draw: st.DrawFn, kinds: tuple[str, ...], sources: tuple[str, ...] = ("pbx",), most: int = 12
) -> list[Event]:
    """Any events of one call or seat, each with its own id."""
    out = []
    for number in range(draw(st.integers(1, most))):
        kind = draw(st.sampled_from(kinds))
        own = draw(_OWN.get(kind, st.just({})))
        seat = draw(st.sampled_from(["s1", "s2"])) if kind in CALL_KINDS and draw(st.booleans()) else None
        own = {**own, **({"seat": seat} if seat else {})}
        source = draw(st.sampled_from(sources))
        out.append(event(kind, draw(st.integers(0, 60)), id=f"e{number}", source=source, **own))
    return out
