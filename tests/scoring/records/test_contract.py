"""The kinds here against the contract of the regulations, where its folder lies beside the repository."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scoring.load import read_yaml
from scoring.records.kinds import CASE_TYPES, FIELDS, FIGURES, MODELS, OPEN

CONTRACT = Path(__file__).resolve().parents[4] / "shared" / "regulations" / "records.yaml"
pytestmark = pytest.mark.skipif(not CONTRACT.is_file(), reason="the regulations do not lie beside the repository")


@pytest.fixture(scope="module")
def contract() -> Any:
    return read_yaml(CONTRACT).value


def test_every_kind_has_the_fields_of_the_contract(contract: Any) -> None:
    envelope = set(contract["envelope"])
    for kind, told in contract["kinds"].items():
        when = MODELS[kind].WHEN
        own = {name for name in FIELDS[kind] if name not in {"at", "day", "period"}}
        assert own == (envelope - {"at", "day", "period"}) | set(told["fields"]), kind
        assert {name for name in FIELDS[kind] if name in {"at", "day", "period"}} == set(when) - {"offered_at"}
        assert when == tuple(told["when"].split(" | "))
        assert tuple(told["from"]) == MODELS[kind].FROM
    assert set(contract["kinds"]) == set(FIELDS)


def test_every_kind_needs_what_the_contract_needs(contract: Any) -> None:
    for kind, told in contract["kinds"].items():
        assert set(MODELS[kind].NEED) == {name for name, one in told["fields"].items() if one.get("need")}, kind


def test_types_have_the_contract_s_names(contract: Any) -> None:
    for kind, told in contract["kinds"].items():
        for name, one in told["fields"].items():
            if "type" in one and one["type"] in contract["types"]:
                assert FIELDS[kind][name] == one["type"], f"{kind}.{name}"


def test_open_lists_name_the_contract_s_words(contract: Any) -> None:
    told = {
        (kind, name): tuple(one["values"])
        for kind, kinds in contract["kinds"].items()
        for name, one in kinds["fields"].items()
        if one.get("open")
    }

    assert told == OPEN


def test_processes_and_figures_are_the_contract_s(contract: Any) -> None:
    for name, one in contract["case_types"].items():
        process = CASE_TYPES[name]
        assert process.stages == tuple(one["stages"])
        assert process.levels == tuple(one.get("level", ()))
        assert process.classes == tuple(one.get("class", ()))
    assert set(CASE_TYPES) == set(contract["case_types"])
    assert {name: unit for unit, names in contract["figures"].items() for name in names} == FIGURES
