"""Sheets of a month to print: one HTML file each, complete in itself, A4, in Chinese, Korean or English. Pure.

A deducted line shows clause, quote, day, evidence and who decided it; what is assumed, undecided or waits is marked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from html import escape
from typing import Any

from qa.period_sheet import Json, evidence_text
from qa.period_words import titled, word
from scoring.canonical import decimal_text

STYLE = """
@page{size:A4;margin:14mm 12mm 16mm}
*{box-sizing:border-box}
body{margin:0 auto;max-width:190mm;padding:8mm 4mm;color:#111;background:#fff;
font:12px/1.5 "Noto Sans CJK SC","PingFang SC","Microsoft YaHei","Malgun Gothic",system-ui,sans-serif}
header{display:flex;justify-content:space-between;align-items:flex-end;border-bottom:2px solid #111;padding-bottom:6px}
h1{font-size:18px;margin:0}h2{font-size:13px;margin:16px 0 4px;break-after:avoid}
.state{font-size:11px;text-align:right}.open{border:1px solid #111;padding:1px 6px;font-weight:700}
dl.head{display:grid;grid-template-columns:repeat(4,1fr);gap:4px 14px;margin:10px 0}
dl.head div{border-bottom:1px solid #ccc;padding-bottom:2px}dt{font-size:10px;color:#555}dd{margin:0;font-weight:600}
dl.head .big dd{font-size:18px}
table{width:100%;border-collapse:collapse;margin:4px 0}
th,td{border:1px solid #999;padding:3px 5px;vertical-align:top;text-align:left;overflow-wrap:anywhere}
th{background:#eee;font-size:11px;-webkit-print-color-adjust:exact;print-color-adjust:exact}
thead{display:table-header-group}tr{break-inside:avoid}
td.n,th.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
tr.total td{font-weight:700;border-top:2px solid #111}
blockquote{margin:2px 0 0;padding-left:6px;border-left:2px solid #bbb;color:#333;font-size:11px}
.soft{color:#555;font-size:11px}ul{margin:2px 0 2px 16px;padding:0}
.tag{border:1px solid #111;border-radius:2px;padding:0 4px;font-size:10px;white-space:nowrap}
tr.off td{color:#555}
footer{display:grid;grid-template-columns:repeat(3,1fr);gap:20px;margin-top:28px;break-inside:avoid}
footer div{border-top:1px solid #111;padding-top:3px;font-size:11px;display:flex;justify-content:space-between}
@media print{body{padding:0;max-width:none}}
"""
_UNSAFE = re.compile(r"[^\w.\-]+", re.UNICODE)


def file_name(month: str, one: Mapping[str, Any]) -> str:
    """A name for the file of a sheet, safe on every disk."""
    name = _UNSAFE.sub("_", str(one["who"])).strip(".") or "_"
    kind = "" if one["kind"] == "person" else f"{one['kind']}-"
    return f"{month}-{kind}{name}.html"


def signed(text: str | None, language: str) -> str:
    """A decimal with its sign; a dash for none."""
    if text is None:
        return word("none", language)
    return text.replace("-", "−") if text.startswith("-") else text if text == "0" else f"+{text}"


def page(head: Mapping[str, Any], one: Json, members: Iterable[Json], language: str) -> str:
    """One sheet as a whole document; ``members`` are the people of a team."""
    return _Page(head, one, list(members), language).html()


class _Page:
    """Writes one sheet; every text that came as data is escaped."""

    def __init__(self, head: Mapping[str, Any], one: Json, members: list[Json], language: str) -> None:
        self.head, self.one, self.members, self.language = head, one, members, language

    def w(self, key: str) -> str:
        return escape(word(key, self.language))

    def html(self) -> str:
        title = f"{word('sheet.' + self.one['kind'], self.language)} {self.head['month']} {self.one['who']}"
        parts = (
            self.top(), self.figures(), self.people(), self.lines(), self.money(), self.values(), self.ladders(),
            self.recommendations(), self.adjustments(), self.unknown(), self.assumed(), self.signatures(),
        )  # fmt: skip
        return (
            f'<!doctype html>\n<html lang="{self.language}"><head><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n<body>\n"
            + "\n".join(part for part in parts if part)
            + "\n</body></html>\n"
        )

    def top(self) -> str:
        closed = self.head["closed"]
        if closed is None:
            state = f'<span class="open">{self.w("open")}</span>'
        else:
            at = str(closed["at"]).replace("T", " ")
            state = f"{self.w('closed')} {escape(at)} · {escape(closed['by'])}<br>{closed['cards_sha'][:16]}"
        pack = escape(titled(self.one["pack_title"], self.language))
        return (
            f"<header><div><h1>{self.w('sheet.' + self.one['kind'])} · {escape(self.head['month'])}</h1>"
            f'<div class="soft">{pack} ({escape(self.one["pack"])}, {self.w("version")} '
            f'{escape(self.one["pack_version"])})</div></div><div class="state">{state}</div></header>'
        )

    def figures(self) -> str:
        one = self.one
        person = one["kind"] == "person"
        rows = [("agent" if person else "team", one["who"], ""), ("score", self.plain(one["score"]), "big")]
        rows += [("team", one["team"], "")] if person else []
        rows += [("grade", self.grade(one), "big"), ("rank", one["rank"], "")] if person else []
        rows += [("waiting", str(one["waiting"]), "")]
        if self.head["money"] == "off":
            rows.append(("money", word("money.off", self.language), ""))
        else:
            rows += [("pay", signed(one["pay"], self.language), ""), ("fine", self.plain(one["fine"]), "")]
            rows += [("ledger", signed(one["ledger"], self.language), "")]
        none = word("none", self.language)
        cells = (
            f'<div class="{kind}"><dt>{self.w(key)}</dt><dd>{escape(str(text or none))}</dd></div>'
            for key, text, kind in rows
        )
        return f'<dl class="head">{"".join(cells)}</dl>'

    def grade(self, one: Json) -> str:
        """Grades stand as the regulation prints them; only that there is none is said in words."""
        return word("grade.ungraded", self.language) if one["grade"] == "ungraded" else self.plain(one["grade"])

    def plain(self, text: Any) -> str:
        return word("none", self.language) if text is None else str(text).replace("-", "−")

    def table(self, key: str, columns: Iterable[tuple[str, bool]], rows: Iterable[str]) -> str:
        heads = "".join(f"<th{' class=n' if number else ''}>{self.w(name)}</th>" for name, number in columns)
        return f"<h2>{self.w(key)}</h2><table><thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"

    def people(self) -> str:
        if not self.members:
            return ""
        names = [("agent", False), ("score", True), ("grade", False), ("rank", True), ("waiting", True)]
        names += [("pay", True)] if self.head["money"] != "off" else []
        rows = []
        for one in self.members:
            cells = [
                self.cell(one["who"]),
                self.cell(self.plain(one["score"]), True),
                self.cell(self.grade(one)),
            ]
            cells += [self.cell(self.plain(one["rank"]), True), self.cell(str(one["waiting"]), True)]
            cells += [self.cell(signed(one["pay"], self.language), True)] if self.head["money"] != "off" else []
            rows.append(f"<tr>{''.join(cells)}</tr>")
        return self.table("people", names, rows) + self.their_lines()

    def their_lines(self) -> str:
        """Every line of the team's people, in short; their own sheets hold the evidence."""
        rows = [
            f"<tr>{self.cell(one['who'])}<td>{self.clause(line)}</td>{self.cell(found['day'])}"
            f"<td>{self.who(found['decided_by'])}</td>{self.cell(signed(found['points'], self.language), True)}</tr>"
            for one in self.members
            for line in one["lines"]
            for found in line["findings"]
            if found["state"] == "counts"
        ]
        columns = [("agent", False), ("clause", False), ("day", False), ("decided", False), ("points", True)]
        return self.table("lines", columns, rows) if rows else ""

    def cell(self, text: str, number: bool = False) -> str:
        return f"<td{' class=n' if number else ''}>{escape(text)}</td>"

    def clause(self, one: Json, quote: bool = False) -> str:
        said = f"<blockquote lang=zh>{escape(one['quote'])}</blockquote>" if quote else ""
        name = escape(titled(one["title"], self.language))
        return f'<b>{escape(one["cite"])}</b> {name} <span class="soft">{escape(one["rule"])}</span>{said}'

    def lines(self) -> str:
        if not self.one["lines"] and self.members:
            return ""
        if not self.one["lines"]:
            return f"<h2>{self.w('lines')}</h2><p>{self.w('lines.none')}</p>"
        columns = [("clause", False), ("day", False), ("evidence", False), ("decided", False), ("points", True)]
        rows = [row for one in self.one["lines"] for row in self.line(one)]
        total = sum((Decimal(one["points"]) for one in self.one["lines"] if one["points"] is not None), Decimal(0))
        rows.append(
            f'<tr class="total"><td colspan="4">{self.w("total")}</td>'
            f'<td class="n">{escape(signed(decimal_text(total), self.language))}</td></tr>'
        )
        return self.table("lines", columns, rows)

    def line(self, one: Json) -> Iterable[str]:
        """The clause with its total, then one row for each time it was met."""
        tag = f' <span class="tag">{self.w("assumed")}</span>' if one["assumed"] else ""
        points = escape(signed(one["points"], self.language))
        yield f'<tr><td colspan="4">{self.clause(one, quote=True)}{tag}</td><td class="n"><b>{points}</b></td></tr>'
        for found in one["findings"]:
            yield self.finding(found)

    def finding(self, found: Json) -> str:
        counts = found["state"] == "counts"
        tags = [] if counts else [found["state"]]
        tags += ["assumed"] if found["assumed"] else []
        marks = " ".join(f'<span class="tag">{self.w(tag)}</span>' for tag in tags)
        evidence = "".join(f"<li>{escape(evidence_text(one))}</li>" for one in found["evidence"])
        points = signed(found["points"], self.language)
        money = [found[name] for name in ("fine", "amount") if found[name] not in ("0", None)]
        amounts = "".join(f"<br>{escape(signed(one, self.language))} {self.w('yuan')}" for one in money)
        return (
            f"<tr{'' if counts else ' class=off'}>"
            f'<td class="soft">{escape(found["kind"])} {escape(found["subject"])} {marks}</td>'
            f"<td>{escape(found['day'])}</td><td><ul>{evidence}</ul></td>"
            f'<td>{self.who(found["decided_by"])}</td><td class="n">{escape(points)}{amounts}</td></tr>'
        )

    def who(self, name: str | None) -> str:
        return self.w("machine") if name in (None, "machine") else escape(name)

    def money(self) -> str:
        if not self.one["money"]:
            return ""
        rows = [
            f"<tr><td>{self.clause(one)}</td>{self.cell(signed(one['amount'], self.language), True)}</tr>"
            for one in self.one["money"]
        ]
        return self.table("money", [("clause", False), ("yuan", True)], rows)

    def values(self) -> str:
        if not self.one["values"]:
            return ""
        rows = [
            f"<tr><td>{self.clause(one)}</td>{self.cell(self.plain(one['value']), True)}</tr>"
            for one in self.one["values"]
        ]
        return self.table("values", [("clause", False), ("value", True)], rows)

    def ladders(self) -> str:
        if not self.one["ladders"]:
            return ""
        rows = [
            f"<tr><td>{self.clause(one)}</td>{self.cell(one['window'])}{self.cell(one['count'], True)}</tr>"
            for one in self.one["ladders"]
        ]
        return self.table("ladders", [("clause", False), ("window", False), ("count", True)], rows)

    def recommendations(self) -> str:
        if not self.one["recommendations"]:
            return ""
        items = []
        for one in self.one["recommendations"]:
            clauses = "; ".join(self.clause(clause) for clause in one["clauses"])
            steps = "".join(
                f"<li>{self.w('state.' + step['state'])}: {escape(step['by'])}, {escape(step['at'][:10])}: "
                f"{escape(step['reason'])}</li>"
                for step in one["steps"]
            )
            law = f" · {self.w('caution')}: {escape(', '.join(one['caution']))}" if one["caution"] else ""
            kind = self.w("kind." + one["kind"])
            items.append(
                f"<li><b>{kind}</b> <span class=tag>{self.w('state.' + one['state'])}</span>"
                f" {clauses}{law}<ul>{steps}</ul></li>"
            )
        return f"<h2>{self.w('recommendations')}</h2><ul>{''.join(items)}</ul>"

    def adjustments(self) -> str:
        late = self.one["adjusted"]
        has_late = late["points"] not in ("0", None) or late["pay"] not in ("0", None)
        if not has_late and not self.one["adjustments"]:
            return ""
        paid = self.head["money"] != "off"
        columns = [
            ("month", False),
            ("reason", False),
            ("by", False),
            ("points", True),
            *([("yuan", True)] if paid else []),
        ]
        told = [("", word("adjusted.late", self.language), "", late["points"], late["pay"])] if has_late else []
        told += [
            (
                f"{one['month']} → {one['carried']}",
                one["reason"],
                f"{one['by']}, {one['at'][:10]}",
                one["points"],
                one["pay"],
            )
            for one in self.one["adjustments"]
        ]
        rows = []
        for month, reason, by, points, pay in told:
            money = self.cell(signed(pay, self.language), True) if paid else ""
            cells = (
                f"{self.cell(month)}{self.cell(reason)}{self.cell(by)}{self.cell(signed(points, self.language), True)}"
            )
            rows.append(f"<tr>{cells}{money}</tr>")
        return self.table("adjusted", columns, rows)

    def unknown(self) -> str:
        if not self.one["unknown"]:
            return ""
        rows = []
        for one in self.one["unknown"]:
            causes = ", ".join(
                f"{word('cause.' + cause, self.language)}{f' ×{n}' if n > 1 else ''}"
                for cause, n in one["causes"].items()
            )
            rows.append(f"<tr><td>{self.clause(one)}</td>{self.cell(causes)}</tr>")
        return self.table("unknown", [("clause", False), ("reason", False)], rows)

    def assumed(self) -> str:
        if not self.one["assumed"]:
            return ""
        items = "".join(f"<li>{self.clause(one)}</li>" for one in self.one["assumed"])
        return f"<h2>{self.w('assumed.list')}</h2><ul>{items}</ul>"

    def signatures(self) -> str:
        names = ["sign.agent"] if self.one["kind"] == "person" else []
        cells = [f"<div><span>{self.w(one)}</span><span>{self.w('sign.day')}</span></div>" for one in
                 (*names, "sign.leader", "sign.assessor")]  # fmt: skip
        return f"<footer>{''.join(cells)}</footer>"
