"""Which of ruff's rules are findings: those about behaviour, not style, and not those that our own rules cover.

A row: the codes, what kind of defect they are, how severe, and the scenario in which the code fails.
"""

from __future__ import annotations

from dataclasses import dataclass

from aiops_lsp.core.findings import Category, Severity


@dataclass(frozen=True, slots=True)
class RuffRule:
    """What a finding by one of ruff's codes says beside ruff's own message."""

    category: Category
    severity: Severity
    trigger: str


_ROWS: tuple[tuple[str, Category, Severity, str], ...] = (
    (
        "B002 B015 B021 B032",
        Category.BUG,
        Severity.MEDIUM,
        "The line is reached; it does something else.",
    ),
    ("B003 PLW1507", Category.BUG, Severity.MEDIUM, "A child process is started after the change and does not see it."),
    ("B005 PLE1310", Category.BUG, Severity.HIGH, "The text begins or ends with other letters of the set."),
    ("B012", Category.ERROR_HANDLING, Severity.HIGH, "The try block raises; the exception is lost."),
    ("B016 PLW0133 PLW0711", Category.ERROR_HANDLING, Severity.HIGH, "The error case is reached."),
    ("B031", Category.BUG, Severity.HIGH, "The values are used again after the loop's first turn."),
    ("B025 B029 B030", Category.ERROR_HANDLING, Severity.HIGH, "The exception is raised; this handler does not run."),
    ("B035 PIE794", Category.BUG, Severity.HIGH, "The second value replaces the first one."),
    (
        "B039 RUF008 RUF009",
        Category.BUG,
        Severity.HIGH,
        "Two of them share the object, and one changes it.",
    ),
    (
        "F502 F503 F504 F505 F506 F507 F508 F509 F521 F522 F523 F524 F525 PLE1307 PLE1205 PLE1206",
        Category.BUG,
        Severity.HIGH,
        "The line is reached with these arguments.",
    ),
    (
        "F631 F634 PLW0129 RUF040 RUF030",
        Category.BUG,
        Severity.HIGH,
        "The condition is false; the check still passes.",
    ),
    ("F632 PLW0177", Category.BUG, Severity.HIGH, "Two equal values are different objects, or a value is NaN."),
    (
        "PLE0100 PLE0101 PLE0116 PLE0302 PLE0307",
        Category.BUG,
        Severity.HIGH,
        "The interpreter calls the method.",
    ),
    ("PLE0643 RUF016", Category.BUG, Severity.HIGH, "The line is reached: IndexError or TypeError."),
    ("PLE1132 PLE1142 PLE1507 PLE1519 PLW0245", Category.BUG, Severity.HIGH, "The line is reached."),
    (
        "PLE2502 PLE2510 PLE2513",
        Category.SECURITY,
        Severity.HIGH,
        "A reviewer reads other code than what runs.",
    ),
    ("PLW1501", Category.BUG, Severity.HIGH, "The file is opened: ValueError."),
    ("PLW1509", Category.CONCURRENCY, Severity.MEDIUM, "Another thread holds a lock when the process forks."),
    ("PLW2101", Category.CONCURRENCY, Severity.HIGH, "Two threads are in this block at the same time."),
    ("ASYNC100", Category.CONCURRENCY, Severity.MEDIUM, "The time-out passes; nothing is cancelled."),
    (
        "ASYNC105 ASYNC210 ASYNC220 ASYNC221 ASYNC222 ASYNC251",
        Category.CONCURRENCY,
        Severity.HIGH,
        "The call takes a second, and every other task of the loop waits.",
    ),
    ("RUF006", Category.CONCURRENCY, Severity.MEDIUM, "The garbage collector runs before the task is done."),
    ("RUF018", Category.BUG, Severity.HIGH, "The program runs with `python -O`, which drops the assertion."),
    ("S113", Category.RESOURCE_LEAK, Severity.MEDIUM, "The server accepts the connection and never answers."),
    ("S502 S503 S507 S508 S509", Category.SECURITY, Severity.HIGH, "A machine on the way poses as the server."),
    ("S609 S612", Category.SECURITY, Severity.HIGH, "Someone places a file, or sends a configuration, that runs code."),
    ("S701", Category.SECURITY, Severity.HIGH, "A value with markup in it is put into a page."),
    ("LOG007", Category.ERROR_HANDLING, Severity.LOW, "The error is logged without its traceback."),
    (
        "YTT101 YTT102 YTT103 YTT302 YTT303",
        Category.BUG,
        Severity.MEDIUM,
        "The program runs on Python 3.10 or later, or on a new major version.",
    ),
)

RUFF_RULES: dict[str, RuffRule] = {
    code: RuffRule(category, severity, trigger)
    for codes, category, severity, trigger in _ROWS
    for code in codes.split()
}
"""Code to what its findings say."""
