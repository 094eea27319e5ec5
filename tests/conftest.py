"""Options of the whole suite: what the closing lines say. No fixtures; those stand beside the tests that use them."""

from __future__ import annotations

import pytest
from _pytest.terminal import TerminalReporter


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """What tests want said; then whether a browser was really there: a green run cannot hide a missing Chromium."""
    for report in terminalreporter.stats.get("passed", ()):
        for name, value in report.user_properties:
            if name == "summary":
                terminalreporter.write_line(str(value))
    terminalreporter.write_line(browser_line(terminalreporter.stats))


def browser_line(stats: dict[str, list[object]]) -> str:
    ran = {outcome: _browser_reports(stats.get(outcome, ())) for outcome in ("passed", "failed", "error")}
    if not any(ran.values()):
        return "browser: NOT RUN"
    return "browser: " + ", ".join(f"{count} {outcome}" for outcome, count in ran.items() if count)


def _browser_reports(reports: object) -> int:
    assert isinstance(reports, list | tuple)
    return sum(isinstance(one, pytest.TestReport) and "browser" in one.keywords for one in reports)
