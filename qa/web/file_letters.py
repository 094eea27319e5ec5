"""Letters of files that could not be read as a list of records at all, in the form of ``letters``; only the words."""

from __future__ import annotations

FILE_LETTERS: tuple[tuple[str, str, str], ...] = (
    (
        "no table by its ending; give one of …",
        "从扩展名看不是表格；请提供其中之一：{0}",
        "확장자로 보아 표가 아닙니다. 다음 중 하나를 주십시오: {0}",
    ),
    (
        "send at most … MB; split it, or use `seatwatch import`",
        "最多可传 {0} MB；请拆分文件，或使用 `seatwatch import`",
        "최대 {0} MB까지 보낼 수 있습니다. 파일을 나누거나 `seatwatch import`를 쓰십시오",
    ),
    (
        "… bytes; split it below …",
        "共 {0} 字节；请拆分到 {1} 字节以下",
        "{0}바이트입니다. {1}바이트 아래로 나누십시오",
    ),
    (
        "… bytes when unpacked; split it below …",
        "解压后共 {0} 字节；请拆分到 {1} 字节以下",
        "압축을 풀면 {0}바이트입니다. {1}바이트 아래로 나누십시오",
    ),
    (
        "more than … lines; split the file",
        "超过 {0} 行；请拆分文件",
        "{0}줄이 넘습니다. 파일을 나누십시오",
    ),
    (
        "… lines refused, nothing was stored: correct them, or send with partial=true to take the others",
        "有 {0} 行被拒绝，什么都没有存入：请更正，或选择只收其余的行",
        "{0}줄이 거부되어 아무것도 저장되지 않았습니다. 고치거나 나머지만 받도록 하십시오",
    ),
    (
        "byte … is not UTF-8; save the file as UTF-8",
        "第 {0} 字节不是 UTF-8；请将文件另存为 UTF-8",
        "{0}번째 바이트가 UTF-8이 아닙니다. 파일을 UTF-8로 저장하십시오",
    ),
    (
        "is no JSON (…); write a list of records",
        "不是 JSON（{0}）；请写成记录的列表",
        "JSON이 아닙니다 ({0}). 기록의 목록으로 쓰십시오",
    ),
    (
        "this is no list; write one record a dash",
        "这不是列表；请每条记录以短横线开头",
        "목록이 아닙니다. 기록마다 줄표로 시작하십시오",
    ),
    (
        "…; mend the line",
        "{0}；请修正这一行",
        "{0}. 이 줄을 고치십시오",
    ),
    (
        "the first line names no column; write field names there",
        "第一行没有列名；请在那里写字段名",
        "첫 줄에 열 이름이 없습니다. 항목 이름을 쓰십시오",
    ),
    (
        "column … has no name; write the field it holds",
        "第 {0} 列没有名称；请写上字段名",
        "{0}번째 열에 이름이 없습니다. 항목 이름을 쓰십시오",
    ),
    (
        "the column … stands twice; keep one",
        "{0} 列出现了两次；请保留一个",
        "{0} 열이 두 번 나옵니다. 하나만 남기십시오",
    ),
    (
        "… columns; keep at most …",
        "共 {0} 列；最多保留 {1} 列",
        "열이 {0}개입니다. 최대 {1}개만 남기십시오",
    ),
    (
        "this is no workbook (…); save it as .xlsx",
        "这不是工作簿（{0}）；请另存为 .xlsx",
        "통합 문서가 아닙니다 ({0}). .xlsx로 저장하십시오",
    ),
    (
        "no kind of record; name the sheet after one of …, or use --kind",
        "不是记录类型；请以其中之一命名工作表：{0}，或先选择类型",
        "기록 종류가 아닙니다. 시트 이름을 다음 중 하나로 하거나 종류를 고르십시오: {0}",
    ),
    (
        "a % directive would bring old YAML rules back; remove that line",
        "% 指令会带回旧的 YAML 规则；请删除该行",
        "% 지시문은 옛 YAML 규칙을 불러옵니다. 그 줄을 지우십시오",
    ),
    (
        "the file has … characters; split it below …",
        "文件有 {0} 个字符；请拆分到 {1} 以下",
        "파일이 {0}자입니다. {1}자 아래로 나누십시오",
    ),
    (
        "this is no YAML 1.2 (…); correct the file",
        "这不是 YAML 1.2（{0}）；请更正文件",
        "YAML 1.2가 아닙니다 ({0}). 파일을 고치십시오",
    ),
    (
        "this is no YAML 1.2 (…); correct the line",
        "这不是 YAML 1.2（{0}）；请更正这一行",
        "YAML 1.2가 아닙니다 ({0}). 이 줄을 고치십시오",
    ),
    (
        "…: the key stands twice in one mapping; keep one of the two",
        "键 {0} 在同一映射中出现两次；请保留一个",
        "키 {0}이(가) 한 매핑에 두 번 나옵니다. 하나만 남기십시오",
    ),
    (
        "too deep or too large; remove aliases (&, *) or split the file",
        "层次过深或过大；请去掉别名（&、*）或拆分文件",
        "너무 깊거나 큽니다. 별칭(&, *)을 없애거나 파일을 나누십시오",
    ),
    (
        "a key must be a word or a day; quote it",
        "键只能是词或日期；请加引号",
        "키는 낱말이나 날짜여야 합니다. 따옴표로 묶으십시오",
    ),
)
