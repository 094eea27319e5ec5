"""The words of the printed month in Chinese, Korean and English; nothing else is translated here."""

from __future__ import annotations

from collections.abc import Mapping

LANGUAGES = ("zh-CN", "ko", "en")
_COLUMNS: Mapping[str, tuple[str, str, str]] = {
    "sheet.person": ("月度考核单", "월간 평가표", "Assessment of the month"),
    "sheet.team": ("班组月度考核单", "팀 월간 평가표", "Team assessment of the month"),
    "sheet.site": ("中心月度考核单", "센터 월간 평가표", "Site assessment of the month"),
    "month": ("月份", "월", "Month"),
    "agent": ("坐席代表", "상담사", "Agent"),
    "team": ("班组", "팀", "Team"),
    "pack": ("考核办法", "평가 규정", "Regulation"),
    "version": ("版本", "버전", "version"),
    "score": ("得分", "점수", "Score"),
    "grade": ("等级", "등급", "Grade"),
    "rank": ("排名", "순위", "Rank"),
    "pay": ("工资影响(建议)", "급여 영향(제안)", "Pay effect (proposed)"),
    "fine": ("罚款合计(建议)", "벌금 합계(제안)", "Fines (proposed)"),
    "ledger": ("已入账", "기장액", "Entered"),
    "money": ("金额明细", "금액 내역", "Amounts"),
    "money.off": ("本中心未启用金额", "이 센터는 금액을 쓰지 않음", "Money is off at this site"),
    "yuan": ("元", "위안", "yuan"),
    "lines": ("扣分与加分", "감점과 가점", "Deductions and bonuses"),
    "lines.none": ("本月没有扣分或加分", "이번 달 감점·가점 없음", "No deduction and no bonus this month"),
    "clause": ("条款", "조항", "Clause"),
    "quote": ("原文", "원문", "Quote"),
    "day": ("日期", "날짜", "Day"),
    "about": ("对象", "대상", "About"),
    "evidence": ("依据", "근거", "Evidence"),
    "decided": ("判定", "판정", "Decided by"),
    "machine": ("系统", "시스템", "the system"),
    "points": ("分值", "점", "Points"),
    "total": ("合计", "합계", "Total"),
    "waits": ("待复核,未计入", "검토 대기, 미반영", "waits for review, does not count"),
    "dismissed": ("已撤销", "기각됨", "dismissed"),
    "superseded": ("由另一条款计入", "다른 조항으로 반영", "another clause took the event"),
    "told": ("不计分", "점수 없음", "without points"),
    "assumed": ("含推定值", "추정값 포함", "rests on an assumed number"),
    "assumed.list": ("推定值(原文数字缺失)", "추정값(원문 숫자 누락)", "Assumed numbers (lost in the text)"),
    "values": ("指标", "지표", "Figures"),
    "value": ("数值", "값", "Value"),
    "unknown": ("无法判定(不扣分)", "판단 불가(감점 없음)", "Undecided (never deducts)"),
    "ladders": ("累进", "누진", "Ladders"),
    "count": ("次数", "횟수", "Times"),
    "window": ("计算范围", "계산 범위", "within"),
    "recommendations": ("建议(须经批准)", "권고(승인 필요)", "Recommendations (need approval)"),
    "state": ("状态", "상태", "State"),
    "counted": ("已计入", "반영됨", "counts"),
    "state.proposed": ("已提出", "제안됨", "proposed"),
    "state.reviewed": ("已复核", "검토됨", "reviewed"),
    "state.approved": ("已批准", "승인됨", "approved"),
    "state.rejected": ("已否决", "반려됨", "rejected"),
    "caution": ("法律提示", "법률 유의", "mind the law"),
    "adjusted": ("以前月份的调整", "이전 달 조정", "Adjustments of earlier months"),
    "adjusted.late": ("迟到的信息", "뒤늦은 정보", "late news"),
    "reason": ("理由", "사유", "Reason"),
    "by": ("经办人", "담당", "by"),
    "waiting": ("待复核项", "검토 대기", "Open reviews"),
    "open": ("未结账,数字会变化", "미마감, 수치가 바뀔 수 있음", "open: the figures may still change"),
    "closed": ("已结账", "마감됨", "closed"),
    "people": ("人员", "인원", "People"),
    "sign.agent": ("本人签字", "본인 서명", "Agent"),
    "sign.leader": ("主管签字", "관리자 서명", "Supervisor"),
    "sign.assessor": ("考核人签字", "평가자 서명", "Assessor"),
    "sign.day": ("日期", "날짜", "Date"),
    "kind.dismissal": ("辞退", "해고", "dismissal"),
    "kind.separation": ("解除合同", "계약 해지", "separation"),
    "kind.warning": ("警告", "경고", "warning"),
    "kind.training": ("培训", "교육", "training"),
    "kind.transfer": ("转岗", "전환 배치", "transfer"),
    "kind.absence": ("按旷工处理", "결근 처리", "absence"),
    "kind.demerit": ("记过", "벌점 기록", "demerit"),
    "kind.month_pay_withheld": ("停发当月工资", "당월 급여 보류", "pay of the month withheld"),
    "kind.removal": ("免职", "면직", "removal"),
    "kind.report": ("书面报告", "서면 보고", "report"),
    "kind.standby": ("待岗", "대기 발령", "standby"),
    "kind.talk": ("谈话", "면담", "talk"),
    "cause.missing": ("缺少记录", "기록 없음", "record missing"),
    "cause.not_connected": ("登记簿未接入", "대장 미연결", "register not connected"),
    "cause.no_transcript": ("没有文字记录", "전사문 없음", "no transcript"),
    "cause.gap": ("录音有缺口", "녹음 누락", "gap in the recording"),
    "cause.low_confidence": ("识别把握不足", "인식 신뢰도 낮음", "low confidence"),
    "cause.clock": ("时钟可疑", "시계 불일치", "doubted clock"),
    "cause.doubted": ("识别结果可疑", "인식 의심", "doubted recognition"),
    "cause.mixed_channel": ("声道混合", "채널 혼합", "mixed channels"),
    "cause.synthetic": ("测试模型文字", "시험 모델 전사", "text of the test model"),
    "grade.ungraded": ("未评级", "등급 없음", "ungraded"),
    "none": ("—", "—", "—"),
}


def word(key: str, language: str) -> str:
    """The word; a member of a family that is new shows as it is."""
    found = _COLUMNS.get(key)
    return key.partition(".")[2].replace("_", " ") if found is None else found[LANGUAGES.index(language)]


def titled(title: Mapping[str, str | None], language: str) -> str:
    """A title that came as data, in the language or the next best."""
    return title.get(language[:2]) or title.get("en") or title.get("zh") or ""


def keys() -> tuple[str, ...]:
    return tuple(_COLUMNS)
