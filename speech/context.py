"""What stands around a hit and takes it back: negation, quotation, softening words. Pure; it finds nothing."""

from __future__ import annotations

import re
from bisect import bisect_left

from speech.candidates import Found
from speech.lexicon import Entry
from speech.normal import CLAUSE_END, SENTENCE_END, fold_text, sound
from speech.stream import Stream

NEGATIONS = ("不一定", "不是", "不会", "不能", "不敢", "没", "并非")
NEGATION_REACH = 4  # characters between the negation and the hit
NEAR_MS = 5000  # how far unless_followed_by and unless_preceded_by look
LEAD_MS = 1500  # a pause within which a sentence goes on
APOLOGIES = frozenset(fold_text(one) for one in ("抱歉", "对不起", "不好意思", "죄송", "미안"))
_ALTERNATIVES = ("是不是", "会不会", "能不能", "敢不敢", "有没", "是否")  # questions of the form A-not-A deny nothing
_HARMLESS = ("没问题", "没关系", "没事", "没错")  # a 没 that denies nothing of what follows
_SAYING = ("说", "讲", "说过", "讲过", "说了")
_NEGATION = re.compile("|".join(fold_text(one) for one in NEGATIONS))

_QUOTE = re.compile(
    r"您(?:刚才|刚刚|刚|之前|上次|前面|昨天|今天|是)?(?:说|讲|问)(?:的是|的|过|了|到)?"
    r"|你(?:刚才|是)(?:说|讲|问)(?:的是|的)?|[您你]的意思是|(?:客户|用户|客人|고객님께서)(?:说|讲|问)"
)
# 您说得对, 您说吧, 您说完了, 您说一下, 您问我也没用: no words of the customer follow
_NO_QUOTE_AFTER = {
    "问": re.compile("得|吧|完|一下|我[也都]|谁|清楚"),
    "": re.compile("得|吧|完|一下|一说|明|清楚|话"),
}
# 请您说 asks, 我跟您说 tells: neither quotes the customer
_NO_QUOTE_BEFORE = re.compile(
    r"(?:请|麻烦|劳驾|(?:我|我们|咱们)(?:刚才|刚|都|已经|就|再|也|要|先|得|来|可以)*[跟和对给向同])$"
)
_PAIRS = {"“": "”", "‘": "’", "「": "」", "『": "』", "《": "》", '"': '"', "＂": "＂", "'": "'"}
_MARKS = re.compile(f"[{re.escape(''.join(_PAIRS))}]")
_REPORTED = re.compile(r"^요?(?:이?라고|다고|냐고|라는|다는|라면서)(?!요)")  # Korean: the reporting word follows
_DENIED = re.compile(r"^.{0,3}(?:지않|지는않|것은아니|건아니|게아니|뜻은아니|뜻이아니|말은아니|말이아니)")


_BREAK = re.compile(f"[{re.escape(''.join(sorted(CLAUSE_END)))}]")
# Without one of these in front nothing is negated (in the same clause) or quoted.
_NEGATING = re.compile(f"[不没沒并並][^{re.escape(''.join(sorted(CLAUSE_END)))}]*\\Z")
_QUOTING = re.compile(f"[说讲问思{re.escape(''.join(_PAIRS))}]")


def clause(raw: str, start: int, end: int) -> tuple[int, int]:
    """Where the clause around a stretch begins and ends."""
    left = start - len(_BREAK.split(raw[:start])[-1])
    right = _BREAK.search(raw, end)
    return left, len(raw) if right is None else right.start()


def negated(entry: Entry, phrase: str, raw: str, start: int) -> bool:
    """A negation shortly in front, same clause. What is a set formula, or begins with a negation of its own, is only
    taken back where the negation denies *saying* it (没说再见)."""
    before = fold_text(_BREAK.split(raw[:start])[-1])[-NEGATION_REACH - 4 :]
    spoken_of = entry.formula or _NEGATION.match(phrase) is not None
    for found in _NEGATION.finditer(before):
        between = before[found.end() :]
        if len(between) > NEGATION_REACH or _denies_nothing(before, found.start()):
            continue
        if not spoken_of or between.endswith(_SAYING):
            return True
    return False


def _denies_nothing(before: str, at: int) -> bool:
    return before.startswith(_HARMLESS, at) or before.startswith(_ALTERNATIVES, max(0, at - 1))


def taken_back_after(after: str, *, formula: bool) -> bool:
    """Korean reports and denies behind the verb; ``after`` is folded."""
    return _REPORTED.match(after) is not None or (not formula and _DENIED.match(after) is not None)


def quoted(entry: Entry, raw: str, start: int) -> bool:
    """Somebody else's words: after 您说 and its like up to the end of the sentence (of the clause, for courtesy: an
    apology often follows what it is for), or inside quotation marks."""
    ends = CLAUSE_END if entry.courtesy else SENTENCE_END
    if _in_marks(raw, start):
        return True
    for found in _QUOTE.finditer(raw, 0, start):
        said, between = found.group(), raw[found.end() : start]
        if _NO_QUOTE_BEFORE.search(raw[: found.start()]):
            continue
        if said.endswith("的") and fold_text(between):  # 您说的这个问题: a thing is named, nothing is quoted
            continue
        if said[-1] in "说讲问" and _NO_QUOTE_AFTER["问" if said[-1] == "问" else ""].match(between):
            continue
        if not any(char in ends for char in between):
            return True
    return False


def _in_marks(raw: str, at: int) -> bool:
    """Inside quotation marks; an unclosed one ends with its sentence."""
    if not _MARKS.search(raw, 0, at):
        return False
    closing, opened = "", -1
    for index, char in enumerate(raw[:at]):
        if closing:
            if char == closing and not _apostrophe(raw, index):
                closing = ""
        elif char in _PAIRS and not _apostrophe(raw, index):
            closing, opened = _PAIRS[char], index
    if not closing:
        return False
    if raw.find(closing, at) >= 0:
        return True
    return not any(char in SENTENCE_END for char in raw[opened:at])


def _apostrophe(raw: str, at: int) -> bool:
    """The mark of don't, not of a quotation."""
    return raw[at] == "'" and 0 < at < len(raw) - 1 and raw[at - 1].isascii() and raw[at - 1].isalpha()


def softened(stream: Stream, one: Found) -> bool:
    """A softening word in the same clause; an apology anywhere in the utterance."""
    raw, shift = stream.text(one.first, one.last), stream.starts[one.first]
    left, right = clause(raw, one.start - shift, one.end - shift)
    near, whole = fold_text(raw[left:right]), fold_text(raw)
    return any(word in (whole if word in APOLOGIES else near) for word in one.entry.softeners)


def excluded(words: tuple[str, ...], folded: str, start: int, end: int) -> bool:
    """The hit lies inside one of the words."""
    for word in words:
        at = folded.find(word, max(0, end - len(word)))
        while 0 <= at <= start:
            if end <= at + len(word):
                return True
            at = folded.find(word, at + 1)
    return False


def taken_back(stream: Stream, one: Found) -> bool:
    """Do the words around the hit take it back?"""
    entry = one.entry
    after = ""
    if _hangul(one.phrase):
        after = fold_text(stream.whole[one.end : min(one.end + 24, stream.starts[one.last + 1])])
    return (
        (entry.exclude != () and _inside_a_word(stream, one))
        or _spoken_of(stream, one)
        or (entry.softeners != () and softened(stream, one))
        or (after != "" and taken_back_after(after, formula=entry.formula))
        or (entry.followed != () and _near(stream, one, entry.followed, later=True))
        or (entry.preceded != () and _near(stream, one, entry.preceded, later=False))
    )


def _spoken_of(stream: Stream, one: Found) -> bool:
    """Negated or quoted, by its own turn or by what the same party said just before: a pause ends neither."""
    before = one.first > 0 and stream.pause_ms(one.first - 1) <= LEAD_MS
    begin = stream.starts[one.first - before]
    negating = _NEGATING.search(stream.whole, begin, one.start) is not None
    quoting = _QUOTING.search(stream.whole, begin, one.start) is not None
    if not negating and not quoting:
        return False
    raw, start = stream.whole[begin : stream.starts[one.last + 1]], one.start - begin
    return (negating and negated(one.entry, one.phrase, raw, start)) or (quoting and quoted(one.entry, raw, start))


def _hangul(phrase: str) -> bool:
    return "\uac00" <= phrase[0] <= "\ud7a3"


def _inside_a_word(stream: Stream, one: Found) -> bool:
    """Inside a harmless word; a match by sound is also excluded by sound where the word is longer than the phrase
    (我没有错过), while a word of its own length (今天已订) only excludes what is written so."""
    if one.how != "homophone":
        text = fold_text(stream.text(one.first, one.last))
        if not any(word in text for word in one.entry.exclude):
            return False
    folded, shift = stream.folded(one.first, one.last), stream.starts[one.first]
    start = bisect_left(folded.index_map, one.start - shift)
    end = bisect_left(folded.index_map, one.end - shift)
    if excluded(one.entry.exclude, folded.text, start, end):
        return True
    if one.how != "homophone":
        return False
    longer = tuple(sound(word) for word in one.entry.exclude if len(word) > end - start)
    return excluded(longer, sound(folded.text), start, end)


def _near(stream: Stream, one: Found, words: tuple[str, ...], *, later: bool) -> bool:
    """One of the words in the same utterance, or in the same party's turns within a few seconds."""
    start_ms, end_ms = stream.times(one.first, one.last, one.start, one.end)
    if later:
        own = stream.whole[one.end : stream.starts[one.last + 1]]
        turns = [turn for turn in stream.turns[one.last + 1 :] if turn.start_ms - end_ms <= NEAR_MS]
    else:
        own = stream.whole[stream.starts[one.first] : one.start]
        turns = [turn for turn in stream.turns[: one.first] if start_ms - turn.end_ms <= NEAR_MS]
    texts = [fold_text(text) for text in (own, *(turn.text for turn in turns))]
    return any(word in text for word in words for text in texts)
