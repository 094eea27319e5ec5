from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from speech.normal import fold, fold_text, melts, sound, sounds

TEXT = st.text(
    alphabet=st.one_of(
        st.sampled_from(
            "您好,。 请讲臵置一三八138网絡網路１３８ＷｉＦｉ안녕하세요\u1112\u1161\u11abe\u0301…😀👍🏽\u200d%①½ﾊﾞ"
        ),
        st.characters(),
    ),
    max_size=40,
)


@pytest.mark.parametrize(
    ("raw", "folded"),
    [
        ("網絡設臵", "网络设置"),
        ("您好,请讲。", "您好请讲"),
        ("我的号码是一三八", "我的号码是138"),
        ("１３８　ＷｉＦｉ", "138wifi"),
        ("안녕 하세요!", "안녕하세요"),
        (unicodedata.normalize("NFD", "안녕하세요"), "안녕하세요"),
        ("嗯,那个…您…您好", "那个您您好"),
        ("😀您好", "您好"),
        ("100%", "100%"),
    ],
)
def test_folding_writes_everything_one_way(raw: str, folded: str) -> None:
    assert fold_text(raw) == folded


def test_a_character_above_the_basic_plane_is_one_position() -> None:
    assert list(fold("😀👍您好").index_map) == [2, 3, 4]


@given(TEXT)
@example("한")
@example("é①")
def test_every_folded_character_points_to_where_it_came_from(raw: str) -> None:
    folded = fold(raw)

    assert folded.text == fold_text(raw)
    assert len(folded.index_map) == len(folded.text) + 1
    assert list(folded.index_map) == sorted(folded.index_map)
    assert folded.index_map[-1] == len(raw)
    for at, char in enumerate(folded.text):
        start = end = folded.index_map[at]
        end += 1
        while end < len(raw) and melts(raw[end]):
            end += 1
        assert char in fold_text(raw[start:end])


@given(TEXT)
def test_the_way_by_ear_is_as_long_as_the_text(raw: str) -> None:
    assert len(sound(fold_text(raw))) == len(fold_text(raw))


def test_homophones_sound_alike_and_tones_do_not_matter() -> None:
    assert sound("归定") == sound("规定")
    assert sound("急什么") == sound("寄什么")
    assert sound("网络") != sound("网速")


def test_a_phrase_is_read_as_its_characters_are_and_as_it_is_spoken() -> None:
    assert set(sounds("重启")) == {sound("重启"), sound("虫启")}
    assert sounds("您凭什么") == (sound("您凭什么"),)  # not 您平时要: 什 and 么 are never read so here
    assert len(sounds("重启" * 20)) == 2
