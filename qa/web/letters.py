"""Letters of refused records in the reader's language: matched as they are written in English, and said again.

What stands where a value stood (…) is taken over as it is. A letter that is not known here stays as it is written.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Literal

from qa.web.file_letters import FILE_LETTERS

Language = Literal["zh", "ko", "en"]

# The letter as scoring/records and qa/tables write it, then Chinese and Korean with its values by their place.
LETTERS: tuple[tuple[str, str, str], ...] = (
    (
        "this is no record; write named fields, `kind` first",
        "这不是一条记录；请写明各字段，首先是 `kind`",
        "기록이 아닙니다. 항목 이름을 쓰고 먼저 `kind`를 적으십시오",
    ),
    (
        "a record says what it is; write one of …",
        "记录须说明类型；请填写其中之一：{0}",
        "기록은 종류를 말해야 합니다. 다음 중 하나를 쓰십시오: {0}",
    ),
    (
        "… is no kind of record; write one of …",
        "没有 {0} 这种记录；请填写其中之一：{1}",
        "{0}(이)라는 기록 종류는 없습니다. 다음 중 하나를 쓰십시오: {1}",
    ),
    (
        "is …, and … was asked for; take --kind away, or the line out",
        "此行是 {0}，而要求的是 {1}；请去掉所选类型，或删去此行",
        "이 줄은 {0}인데 {1}(으)로 요청했습니다. 고른 종류를 지우거나 이 줄을 빼십시오",
    ),
    (
        "every record has an id of its own; give one that the source will repeat",
        "每条记录都有自己的编号；请填写来源会沿用的编号",
        "모든 기록에는 고유 ID가 있습니다. 출처가 다시 쓸 ID를 주십시오",
    ),
    (
        "where it comes from is missing; write one of …",
        "缺少来源；请填写其中之一：{0}",
        "출처가 없습니다. 다음 중 하나를 쓰십시오: {0}",
    ),
    (
        "an? … does not come from …; write one of …",
        "{0} 不会来自 {1}；请填写其中之一：{2}",
        "{0}은(는) {1}에서 오지 않습니다. 다음 중 하나를 쓰십시오: {2}",
    ),
    (
        "with source person it says who entered it; give the name",
        "人工录入须写明录入人",
        "사람이 입력한 기록에는 입력자를 적어야 합니다",
    ),
    (
        "with supersedes it says why the old record is replaced; give it",
        "更正或撤回须写明原因",
        "정정이나 철회에는 사유를 적어야 합니다",
    ),
    (
        "it withdraws the record that supersedes names; give supersedes",
        "撤回须写明所撤回的记录；请填写 supersedes",
        "철회할 기록을 supersedes에 적으십시오",
    ),
    (
        "an? … cannot do without it; give it",
        "此项必填，请填写",
        "꼭 필요한 항목입니다. 적으십시오",
    ),
    (
        "it stands instead of agent; give one of them",
        "班组与坐席代表只能填一个",
        "팀과 상담원 중 하나만 적으십시오",
    ),
    (
        "an? … says when by …; give it",
        "{0} 须写明时间（{1}）",
        "{0}에는 시점을 적어야 합니다 ({1})",
    ),
    (
        "an? … says when by …; move it there",
        "{0} 的时间应写在 {1}；请移到那里",
        "{0}의 시점은 {1}에 적습니다. 그리로 옮기십시오",
    ),
    (
        "exactly one of … says when; … stands there already",
        "{0} 只能填一个；已填写 {1}",
        "{0} 중 하나만 적습니다. {1}이(가) 이미 있습니다",
    ),
    (
        "with at it says when it ends; give it, or write day for the whole day",
        "填了开始时间就须填结束时间；整天请改填日期",
        "시작을 적으면 종료도 적으십시오. 하루 종일이면 날짜를 쓰십시오",
    ),
    (
        "day means the whole day; write at and until for a part of it",
        "日期表示整天；只是一段时间请填开始与结束",
        "날짜는 하루 전체를 뜻합니다. 일부라면 시작과 종료를 쓰십시오",
    ),
    (
        "lies before …; correct one of them",
        "早于 {0}；请更正其一",
        "{0}보다 앞섭니다. 둘 중 하나를 고치십시오",
    ),
    (
        "holds a NUL character; remove it",
        "含有 NUL 字符；请删除",
        "NUL 문자가 있습니다. 지우십시오",
    ),
    (
        "is empty; give a word, or leave the field out",
        "为空；请填写，或不写此字段",
        "비어 있습니다. 적거나 항목을 빼십시오",
    ),
    (
        "is one line of printable characters; remove line breaks and control characters",
        "只能是一行可见字符；请删除换行和控制字符",
        "보이는 글자 한 줄만 쓸 수 있습니다. 줄바꿈과 제어 문자를 지우십시오",
    ),
    (
        "… begins or ends with a blank; remove it",
        "{0} 首尾有空格；请删除",
        "{0}의 앞이나 뒤에 빈칸이 있습니다. 지우십시오",
    ),
    (
        "… is no figure; write one of …",
        "没有 {0} 这项数据；请填写其中之一：{1}",
        "{0}(이)라는 수치는 없습니다. 다음 중 하나를 쓰십시오: {1}",
    ),
    (
        "… is a share; give the whole that value is a part of",
        "{0} 是占比；请填写总数",
        "{0}은(는) 비율입니다. 전체 값을 적으십시오",
    ),
    (
        "a whole is not negative; correct it",
        "总数不能为负；请更正",
        "전체 값은 음수일 수 없습니다. 고치십시오",
    ),
    (
        "… is no process; write one of …",
        "没有 {0} 这种流程；请填写其中之一：{1}",
        "{0}(이)라는 절차는 없습니다. 다음 중 하나를 쓰십시오: {1}",
    ),
    (
        "… is no stage of any process; correct it",
        "任何流程都没有环节 {0}；请更正",
        "어느 절차에도 {0} 단계는 없습니다. 고치십시오",
    ),
    (
        "… is no stage of an? …; write one of …",
        "流程 {1} 没有环节 {0}；请填写其中之一：{2}",
        "{1} 절차에는 {0} 단계가 없습니다. 다음 중 하나를 쓰십시오: {2}",
    ),
    (
        "… is not known here; write one of …",
        "此处不认识 {0}；请填写其中之一：{1}",
        "여기서 {0}은(는) 쓸 수 없습니다. 다음 중 하나를 쓰십시오: {1}",
    ),
    (
        "is missing here; give it",
        "此处缺少此项；请填写",
        "여기에 빠졌습니다. 적으십시오",
    ),
    (
        "… is no text; write it in quotes: …",
        "{0} 不是文本；请加引号：{1}",
        "{0}은(는) 글이 아닙니다. 따옴표로 쓰십시오: {1}",
    ),
    (
        "… is neither true nor false; write one of them, without quotes",
        "{0} 既不是 true 也不是 false；请填写其一，不加引号",
        "{0}은(는) true도 false도 아닙니다. 따옴표 없이 하나를 쓰십시오",
    ),
    (
        "… is no whole number; write it without quotes and without a fraction",
        "{0} 不是整数；请填写整数",
        "{0}은(는) 정수가 아닙니다. 정수를 쓰십시오",
    ),
    (
        "holds half a character (a lone surrogate); repair the text",
        "含有残缺字符；请修复文本",
        "깨진 글자가 있습니다. 글을 고치십시오",
    ),
    (
        "is longer than … characters; shorten it",
        "超过 {0} 个字符；请缩短",
        "{0}자를 넘습니다. 줄이십시오",
    ),
    (
        "… is no list; write a list",
        "{0} 不是列表；请写成列表",
        "{0}은(는) 목록이 아닙니다. 목록으로 쓰십시오",
    ),
    (
        "there is no such field; remove it or correct its spelling",
        "没有此字段；请删除或更正拼写",
        "그런 항목은 없습니다. 지우거나 철자를 고치십시오",
    ),
    (
        "an? … has no such field; remove it or correct its spelling",
        "{0} 没有此字段；请删除或更正拼写",
        "{0}에는 그런 항목이 없습니다. 지우거나 철자를 고치십시오",
    ),
    (
        "write the number as a quoted string: …",
        "数字须加引号：{0}",
        "숫자는 따옴표로 쓰십시오: {0}",
    ),
    (
        '… is no number; write it as a quoted string like "-0.5"',
        '{0} 不是数字；请写成 "-0.5" 这样',
        '{0}은(는) 숫자가 아닙니다. "-0.5"처럼 쓰십시오',
    ),
    (
        '… is no number; write it as a quoted string like "-0.5", or one of the words …',
        '{0} 不是数字；请写成 "-0.5" 这样，或用其中一词：{1}',
        '{0}은(는) 숫자가 아닙니다. "-0.5"처럼 쓰거나 다음 낱말 중 하나를 쓰십시오: {1}',
    ),
    (
        "… is no moment of the calendar; correct it",
        "日历上没有 {0} 这个时间；请更正",
        "달력에 {0}이라는 시각은 없습니다. 고치십시오",
    ),
    (
        "write a date and time like …, local to the site unless it carries an offset",
        "请写成 {0} 这样的日期和时间，默认为站点时区",
        "{0}처럼 날짜와 시각을 쓰십시오. 시차가 없으면 사이트 시각입니다",
    ),
    (
        "… is no day of the calendar; correct it",
        "日历上没有 {0} 这一天；请更正",
        "달력에 {0}이라는 날은 없습니다. 고치십시오",
    ),
    (
        "write a day like …, without a time",
        "请写成 {0} 这样的日期，不带时间",
        "{0}처럼 날짜만 쓰십시오",
    ),
    (
        'write a duration as a quoted string "h:mm:ss" or "m:ss", like "0:05:00"',
        '时长请写成 "h:mm:ss" 或 "m:ss"，如 "0:05:00"',
        '시간 길이는 "0:05:00"처럼 "h:mm:ss"나 "m:ss"로 쓰십시오',
    ),
    (
        "… is no period; write …, always quoted",
        "{0} 不是期间；请写成 {1}",
        "{0}은(는) 기간이 아닙니다. {1}처럼 쓰십시오",
    ),
    (
        "… stands already with other content; give a new id, or supersedes with a reason",
        "{0} 已存在且内容不同；请换编号，或写明所替代的记录与原因",
        "{0}은(는) 다른 내용으로 이미 있습니다. 새 ID를 쓰거나 대체할 기록과 사유를 적으십시오",
    ),
    (
        "there is no record …; give the id of the one that it replaces",
        "没有记录 {0}；请填写所替代记录的编号",
        "기록 {0}은(는) 없습니다. 대체할 기록의 ID를 적으십시오",
    ),
    (
        "… stands already; give the new record an id of its own",
        "{0} 已存在；请给新记录另取编号",
        "{0}은(는) 이미 있습니다. 새 기록에는 다른 ID를 쓰십시오",
    ),
    (
        "… was replaced by … already; supersede that one",
        "{0} 已被 {1} 替代；请更正 {1}",
        "{0}은(는) 이미 {1}(으)로 대체되었습니다. {1}을(를) 고치십시오",
    ),
    (
        "… is a withdrawal; to take it back, enter the record with supersedes",
        "{0} 本身是撤回；要恢复，请录入替代它的记录",
        "{0}은(는) 철회입니다. 되돌리려면 이를 대체하는 기록을 입력하십시오",
    ),
    (
        "… is an? …; withdraw it with void and enter a new record",
        "{0} 是 {1}；请先撤回，再录入新记录",
        "{0}은(는) {1}입니다. 철회한 뒤 새 기록을 입력하십시오",
    ),
    (
        "the first record of case … says which process it is; give it",
        "案件 {0} 的第一条记录须写明流程",
        "사건 {0}의 첫 기록에는 절차를 적어야 합니다",
    ),
    (
        "case … is an? …; give the new process a case of its own",
        "案件 {0} 属于 {1}；新的流程请另取案件编号",
        "사건 {0}은(는) {1}입니다. 새 절차에는 다른 사건 번호를 쓰십시오",
    ),
    (
        "is no JSON (…); write one record a line",
        "不是 JSON（{0}）；请每行写一条记录",
        "JSON이 아닙니다 ({0}). 한 줄에 기록 하나를 쓰십시오",
    ),
    (
        "has more cells than there are columns; quote what holds commas",
        "单元格多于列数；含逗号的内容请加引号",
        "칸이 열보다 많습니다. 쉼표가 든 내용은 따옴표로 묶으십시오",
    ),
    (
        "stands beside a column of its beginning; keep one of the two forms",
        "与其上级列并存；请只留一种写法",
        "상위 열과 함께 있습니다. 한 가지 형식만 남기십시오",
    ),
    (
        "stands beside columns of its parts; keep one of the two forms",
        "与其下级列并存；请只留一种写法",
        "하위 열과 함께 있습니다. 한 가지 형식만 남기십시오",
    ),
    (
        "the spreadsheet made a date of it; format the column as text and write … again",
        "电子表格把它变成了日期；请将该列设为文本，重新填写 {0}",
        "표 프로그램이 날짜로 바꾸었습니다. 열을 텍스트로 바꾸고 {0}을(를) 다시 쓰십시오",
    ),
    (
        "there is no rule …; correct the id",
        "没有条款 {0}；请更正编号",
        "규칙 {0}은(는) 없습니다. 번호를 고치십시오",
    ),
    (
        "… is switched off here: …",
        "条款 {0} 在本站点已停用：{1}",
        "규칙 {0}은(는) 여기서 꺼져 있습니다: {1}",
    ),
    (
        "… prints … to …; … lies outside",
        "{0} 印定 {1} 至 {2}；{3} 超出范围",
        "{0}은(는) {1}에서 {2}까지로 정해져 있습니다. {3}은(는) 범위 밖입니다",
    ),
    (
        "… is worth …; … lies outside",
        "{0} 满分 {1}；{2} 超出范围",
        "{0}은(는) {1}점 만점입니다. {2}은(는) 범위 밖입니다",
    ),
    (
        "… prints no range; leave points out",
        "{0} 未印分值范围；请不要填写分值",
        "{0}에는 점수 범위가 없습니다. 점수를 비우십시오",
    ),
    (
        "… cannot judge an own call; ask another reviewer",
        "{0} 不能评定自己的通话；请另找复核人",
        "{0}은(는) 자기 통화를 평가할 수 없습니다. 다른 검토자에게 맡기십시오",
    ),
    (
        "input should be a valid dictionary or instance of …; correct it",
        "须是一组有名称的字段（{0}）；请更正",
        "이름 있는 항목의 묶음이어야 합니다 ({0}). 고치십시오",
    ),
    (
        "input should be a valid dictionary; correct it",
        "须是一组名称与答案；请更正",
        "이름과 답의 묶음이어야 합니다. 고치십시오",
    ),
    (
        "input should be greater than or equal to …; correct it",
        "不能小于 {0}；请更正",
        "{0} 이상이어야 합니다. 고치십시오",
    ),
    ("input should be less than or equal to …; correct it", "不能大于 {0}；请更正", "{0} 이하여야 합니다. 고치십시오"),
    (
        "… should have at least … item after validation, not …; correct it",
        "至少要有 {1} 项，现有 {2} 项；请更正",
        "{1}개 이상이어야 하는데 {2}개입니다. 고치십시오",
    ),
    (
        "… should have at most … items after validation, not …; correct it",
        "最多 {1} 项，现有 {2} 项；请更正",
        "{1}개까지인데 {2}개입니다. 고치십시오",
    ),
    *FILE_LETTERS,
)


SHEET: dict[Language, str] = {"en": "sheet {0}: ", "zh": "工作表 {0}：", "ko": "시트 {0}: "}


def wanted(accepted: str) -> Language:
    """The first language of an Accept-Language header that the product speaks."""
    for one in accepted.split(","):
        match one.strip()[:2].lower():
            case "zh":
                return "zh"
            case "ko":
                return "ko"
            case "en":
                return "en"
    return "en"


def file_said(letters: str, name: str, language: Language) -> str:
    """What is wrong with a whole file: the letter behind each place; the place itself stays, the sheet is named."""
    place = re.compile(rf"({re.escape(name)}(?::\d+)?: )(?:sheet (.+?): )?(.*)", re.DOTALL)
    told = []
    for one in letters.splitlines():
        found = place.fullmatch(one)
        where, sheet, letter = found.groups() if found is not None else ("", None, one)
        named = "" if sheet is None else SHEET[language].format(sheet)
        told.append(f"{where}{named}{said(letter, language)}")
    return "\n".join(told)


def said(letter: str, language: Language) -> str:
    """The letter in that language."""
    if language == "en":
        return letter
    for form, chinese, korean in _forms():
        if (found := form.fullmatch(letter)) is not None:
            return (chinese if language == "zh" else korean).format(*found.groups())
    return letter


@cache
def _forms() -> tuple[tuple[re.Pattern[str], str, str], ...]:
    """The longest letters first: some begin like others."""
    ordered = sorted(LETTERS, key=lambda one: -len(one[0]))
    return tuple((_form(english), chinese, korean) for english, chinese, korean in ordered)


def _form(english: str) -> re.Pattern[str]:
    pieces = [re.escape(piece).replace(r"an\?\ ", "an? ") for piece in english.split("…")]
    return re.compile("(.+?)".join(pieces), re.DOTALL)
