from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.phrases import shipped_matcher
from speech.lexicon import lexicons
from speech.phrases import Matcher, TurnText
from tests.speech.values import agent, ids, matcher

SHIPPED = shipped_matcher()
MANAGE = {"id": "E1", "zh": "不归我管", "zh_variants": ["不关我管"]}


def test_the_longest_match_of_a_category_wins() -> None:
    assert ids([hit for hit in SHIPPED.find(agent("您好,请讲。")) if hit.category == "greeting"]) == ["GREE-03"]


def test_of_equal_length_the_earlier_one_wins_and_an_overlap_counts_once() -> None:
    found = matcher("absolute_promise", {"id": "A", "zh": "一定修好"}, {"id": "B", "zh": "今天一定"})

    assert ids(found.find(agent("今天一定修好"))) == ["B"]


def test_categories_do_not_shadow_one_another() -> None:
    both = lexicons(
        [
            {"category": "stiff", "mode": "forbidden", "entries": [{"id": "S", "zh": "你必须等着"}]},
            {"category": "blaming", "mode": "forbidden", "entries": [{"id": "B", "zh": "你必须"}]},
        ]
    )

    assert sorted(ids(Matcher(both).find(agent("你必须等着")))) == ["B", "S"]


def test_a_hit_says_how_sure_it_is() -> None:
    found = matcher("evading", MANAGE)
    turns = [TurnText("agent", 0, 1000, text, Decimal("0.90")) for text in ("不归我管", "不关我管", "不龟我管")]

    assert [(hit.how, hit.confidence) for hit in found.find(turns)] == [
        ("exact", Decimal("0.90")),
        ("variant", Decimal("0.90")),
        ("homophone", Decimal("0.63")),
    ]


def test_short_or_barred_phrases_are_never_matched_by_sound() -> None:
    found = matcher("insulting", {"id": "I1", "zh": "傻"}, {"id": "I2", "zh": "无理取闹", "no_pinyin": True})

    assert found.find(agent("这是啥", "无里取闹")) == []


def test_what_is_written_wins_over_what_is_heard() -> None:
    found = matcher("greeting", {"id": "G1", "zh": "您好"}, {"id": "G2", "zh": "您好很高兴"}, mode="required")

    assert [(hit.entry, hit.how) for hit in found.find(agent("您好很高行"))] == [("G1", "exact")]


def test_a_phrase_over_two_turns_is_found_once_and_spans_both() -> None:
    (hit,) = matcher("evading", MANAGE).find(agent("这个不归", "我管。"))

    assert (hit.turn, hit.text) == (0, "不归我管")
    assert (hit.start_ms, hit.end_ms) == (1000, 3834)


@pytest.mark.parametrize("gap_ms", [5000, 5001])
def test_a_phrase_runs_on_for_five_seconds_only(gap_ms: int) -> None:
    assert bool(matcher("evading", MANAGE).find(agent("这个不归", "我管", gap_ms=gap_ms))) is (gap_ms == 5000)


def test_what_a_found_string_hides_still_runs_over_the_border() -> None:
    found = matcher("evading", {"id": "A", "zh": "找别的部门"}, {"id": "B", "zh": "部门领导不在"})

    assert ids(found.find(agent("你找别的部门", "领导不在"))) == ["B"]


def test_a_question_mark_ends_what_a_pause_does_not() -> None:
    assert matcher("evading", MANAGE).find(agent("这个不归?", "我管")) == []


def test_other_parties_and_channels_are_streams_of_their_own() -> None:
    turns = [TurnText("agent", 0, 1000, "这个不归"), TurnText("customer", 1000, 1500, "我管")]
    unknown = [TurnText("unknown", 0, 1000, "这个不归", channel=0), TurnText("unknown", 1000, 2000, "我管", channel=1)]

    assert matcher("evading", MANAGE).find(turns) == []
    assert matcher("evading", MANAGE).find(unknown) == []


def test_times_follow_the_place_in_the_text() -> None:
    (hit,) = matcher("evading", MANAGE).find([TurnText("agent", 1000, 2000, "你好,不归我管啊吧")])

    assert (hit.start_ms, hit.end_ms, hit.text) == (1333, 1778, "不归我管")


def test_emoji_in_front_move_nothing() -> None:
    (hit,) = matcher("evading", MANAGE).find([TurnText("agent", 0, 600, "😀👍不归我管")])

    assert (hit.start_ms, hit.end_ms, hit.text) == (200, 600, "不归我管")


def test_decomposed_hangul_is_found_whole() -> None:
    import unicodedata

    text = unicodedata.normalize("NFD", "네, 안녕하세요.")
    (hit,) = matcher("greeting", {"id": "G", "ko": "안녕하세요"}, mode="required").find(agent(text))

    assert unicodedata.normalize("NFC", hit.text) == "안녕하세요"


def test_a_recogniser_that_writes_the_plain_you_takes_no_courtesy_away() -> None:
    hits = {hit.entry: hit for hit in SHIPPED.find(agent("你好", "感谢你的来电,再见", "你好,工号八号为你服务"))}

    assert (hits["GREE-01"].how, hits["GREE-01"].confidence) == ("homophone", Decimal("0.70"))
    assert {"THAN-04", "CLOS-01", "GREE-16"} <= hits.keys()
    assert "REQU-15" not in hits


def test_slots_take_what_stands_in_them() -> None:
    hits = SHIPPED.find(agent("您好,我是工号八零零一号客服为您服务", "预计二十四小时内与您联系"))

    assert {hit.entry for hit in hits if hit.how == "pattern"} == {"GREE-16", "HOLD-10"}


def test_slots_work_over_a_pause() -> None:
    hits = SHIPPED.find(agent("您好,工号八零", "零一为您服务"))

    assert "GREE-16" in ids(hits)


def test_chat_phrases_count_on_a_chat_line_only() -> None:
    entry = {"id": "C", "zh": "亲,您好", "channel": "chat"}
    lists = lexicons([{"category": "greeting", "mode": "required", "entries": [entry]}])

    assert Matcher(lists).find(agent("亲,您好")) == []
    assert ids(Matcher(lists, line="chat").find(agent("亲,您好"))) == ["C"]


@pytest.mark.parametrize("text", ["不行", "不行啊", "不行吧。", "不行嘛!"])
def test_a_whole_utterance_is_the_phrase_with_particles(text: str) -> None:
    assert ids(matcher("stiff", {"id": "S", "zh": "不行", "match": "whole_utterance"}).find(agent(text))) == ["S"]


@pytest.mark.parametrize("text", ["不行的", "这个不行", "行不行", "不行不行", "不行哦", "不行呀", "不行啦"])
def test_more_words_are_no_whole_utterance(text: str) -> None:
    assert matcher("stiff", {"id": "S", "zh": "不行", "match": "whole_utterance"}).find(agent(text)) == []


@pytest.mark.parametrize("text", ["没空调", "没,空调坏了", "如果没。空了"])
def test_short_phrases_do_not_run_over_a_comma(text: str) -> None:
    assert matcher("impatient", {"id": "I", "zh": "没空", "exclude": ["没空调"]}).find(agent(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "我们不会说不归我管", "我没说不归我管", "不能跟您讲不归我管", "您说不归我管", "您刚才说的是不归我管",
        "您的意思是不归我管?", "他写着「不归我管」", '他说"不归我管"', "上次有人跟您说不归我管",
        "您说的不归我管是什么意思", "您是说这个不归我管", "客户说这个不归我管",
    ],
)  # fmt: skip
def test_negated_and_quoted_words_are_no_hits(text: str) -> None:
    assert matcher("evading", MANAGE).find(agent(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "不是,不归我管", "是不是不归我管", "能不能说不归我管", "您说得对不归我管", "您说的这个不归我管",
        "我跟您说不归我管", "请您说慢点,不归我管", "您说慢。不归我管", '他说"好"不归我管',
        "这不是网络的问题而且不归我管", "没问题不归我管",
    ],
)  # fmt: skip
def test_what_looks_like_a_denial_or_a_quotation_is_still_a_hit(text: str) -> None:
    assert ids(matcher("evading", MANAGE).find(agent(text))) == ["E1"]


def test_a_quotation_goes_on_behind_a_short_pause_and_not_behind_a_long_one() -> None:
    found = matcher("evading", MANAGE)

    assert found.find(agent("您刚才说", "不归我管", gap_ms=1500)) == []
    assert ids(found.find(agent("您刚才说", "不归我管", gap_ms=1501))) == ["E1"]


def test_softening_in_the_clause_and_apology_in_the_utterance() -> None:
    found = matcher("stiff", {"id": "S", "zh": "大声点", "softeners": ["麻烦", "抱歉"]})

    assert found.find(agent("麻烦大声点", "我听不清,大声点,抱歉")) == []
    assert ids(found.find(agent("麻烦了,大声点"))) == ["S"]


def test_an_own_step_within_five_seconds_takes_the_hit_back() -> None:
    found = matcher("evading", {"id": "E", "zh": "领导不在", "unless_followed_by": ["登记"]})

    assert found.find(agent("领导不在,我登记")) == []
    assert found.find(agent("领导不在", "我登记", gap_ms=5000)) == []
    assert ids(found.find(agent("领导不在", "我登记", gap_ms=5001))) == ["E"]
    assert ids(found.find(agent("我登记,领导不在"))) == ["E"]


def test_a_goodbye_before_takes_the_hit_back() -> None:
    found = matcher("arguing", {"id": "A", "zh": "我挂了", "unless_preceded_by": ["再见"]})

    assert found.find(agent("再见,我挂了")) == []
    assert found.find(agent("再见", "那我挂了", gap_ms=4000)) == []
    assert ids(found.find(agent("我挂了,再见"))) == ["A"]


@pytest.mark.parametrize(
    "text",
    [
        "不归归我管",
        "不归那个我管",
        "不归我,我管",
        "不归嗯我管",
        "不归不归我管",
        "这个那个不归我管",
        "您您好,不归我我管",
    ],
)
def test_a_stutter_or_a_filler_inside_breaks_no_phrase(text: str) -> None:
    (hit,) = matcher("evading", MANAGE).find(agent(text))

    assert (hit.entry, hit.how) == ("E1", "exact")
    assert text.endswith(hit.text)


@pytest.mark.parametrize("text", ["你想想怎么样更好", "我挂挂了", "不归归我龟", "没没空"])
def test_what_is_doubled_in_ordinary_words_or_short_or_misheard_is_no_stutter(text: str) -> None:
    entries = [{"id": "A", "zh": "你想怎么样"}, {"id": "B", "zh": "我挂了"}, {"id": "C", "zh": "不归我管"}]

    assert matcher("arguing", *entries).find(agent(text)) == []


def test_by_sound_two_clauses_are_no_phrase() -> None:
    found = matcher("evading", MANAGE)

    assert found.find(agent("这个不贵,我管您的事", "不贵。", "我关一下")) == []
    assert ids(found.find(agent("这个不归,我管"))) == ["E1"]


def test_a_word_of_the_same_sound_excludes_as_written_and_a_longer_one_by_sound_too() -> None:
    found = matcher("absolute_promise", {"id": "A", "zh": "今天一定", "exclude": ["今天已定", "今天一定额"]})

    assert found.find(agent("今天已定", "今天以定额")) == []
    assert ids(found.find(agent("今天以定"))) == ["A"]


@pytest.mark.parametrize("text", ["병신", "이 병신", "이병신아", "진짜병신", "고객님은병신이에요", "야, 병신아"])
def test_a_korean_word_is_found_where_it_begins(text: str) -> None:
    assert ids(matcher("insulting", {"id": "I", "ko": "병신", "ko_word": True}).find(agent(text))) == ["I"]


@pytest.mark.parametrize("text", ["질병신고", "새 질병신고 건", "보호병 신고"])
def test_a_korean_word_is_not_found_inside_another_nor_put_together_over_a_space(text: str) -> None:
    assert matcher("insulting", {"id": "I", "ko": "병신", "ko_word": True}).find(agent(text)) == []


def test_a_korean_entry_may_be_whole_while_its_chinese_is_not() -> None:
    found = matcher("stiff", {"id": "S", "zh": "你等着", "ko": "기다려요", "ko_whole": True})

    assert ids(found.find(agent("你等着吧", "기다려요!", "오래 기다려요?"))) == ["S", "S"]


def test_severity_and_part_travel_with_the_hit() -> None:
    hits = SHIPPED.find(agent("请问还有什么可以帮您", "你们真是混蛋", "讨厌"))
    said = {hit.entry: (hit.severity, hit.part) for hit in hits}

    assert said["CLOS-05"] == ("ordinary", "pre_closing")
    assert said["INSU-15"] == ("critical", "")
    assert said["INSU-10"] == ("low", "")


WORDS = st.one_of(
    st.sampled_from(
        [
            "您好",
            "不归我管",
            "我管",
            "您说",
            "“",
            "”",
            "不是",
            "滚",
            "请",
            "抱歉,",
            "。",
            "안녕하세요",
            "工号",
            "为您服务",
            "ﾊﾞ",
            "①",
        ]
    ),
    st.text(max_size=4),
)
TURNS = st.lists(
    st.builds(
        lambda role, start, length, words: TurnText(role, start, start + length, "".join(words)),
        st.sampled_from(["agent", "customer", "unknown"]),
        st.integers(0, 20_000),
        st.integers(0, 9_000),
        st.lists(WORDS, max_size=6),
    ),
    max_size=6,
)


@settings(max_examples=150, deadline=None)
@given(TURNS)
def test_any_turns_are_taken_and_every_hit_lies_inside_them(turns: list[TurnText]) -> None:
    for hit in SHIPPED.find(turns):
        turn = turns[hit.turn]
        assert hit.role == turn.role != "customer"
        assert turn.start_ms <= hit.start_ms
        if hit.text in turn.text:
            assert hit.start_ms <= hit.end_ms <= turn.end_ms


@settings(max_examples=60, deadline=None)
@given(st.lists(WORDS, max_size=8), st.integers(0, 8))
def test_the_fast_pass_finds_what_a_search_for_the_plain_string_finds(words: list[str], at: int) -> None:
    from speech.normal import fold_text

    text = "".join([*words[:at], "无条件退款", *words[at:]])
    found = matcher("absolute_promise", {"id": "A", "zh": "无条件退款", "no_pinyin": True})
    hits = found.find(agent(text))

    assert all(fold_text(hit.text) == "无条件退款" for hit in hits)
    if not set('不没您说问“"「') & set(text) and all(char not in text for char in "'《‘『＂沒並并"):
        assert hits


@settings(max_examples=100, deadline=None)
@given(TURNS)
def test_a_stream_is_written_as_its_turns_fold(turns: list[TurnText]) -> None:
    from speech.normal import fold_text
    from speech.stream import Stream

    stream = Stream(turns)

    assert stream.written == "".join(fold_text(turn.text) for turn in turns)
    assert len(stream.heard) == len(stream.written)
