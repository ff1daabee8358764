"""Checks schedules as AWS does when a policy is created. Nothing is called here.

`org-backup check` knows them in full, in `crates/policy/src/cron.rs`; a test compares the two.
"""

import re
from collections.abc import Iterable

MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()
WEEKDAYS = "SUN MON TUE WED THU FRI SAT".split()

# Each field with its least and its greatest number, and the names of numbers.
FIELDS: list[tuple[str, int, int, list[str]]] = [
    ("minute", 0, 59, []),
    ("hour", 0, 23, []),
    ("day of month", 1, 31, []),
    ("month", 1, 12, MONTHS),
    ("day of week", 1, 7, WEEKDAYS),
    ("year", 1970, 2199, []),
]


def fault(expression: str) -> str | None:
    """Returns the reason why AWS Backup would refuse the schedule of a rule, or `None`."""
    if why := malformed(expression):
        return why
    minutes = numbers("minute", expression.removeprefix("cron(").split()[0])
    return "runs more often than once an hour, which AWS Backup does not" if len(minutes or []) > 1 else None


def malformed(expression: str) -> str | None:
    """Returns the reason why no service would take a cron expression, or `None`."""
    inside = re.fullmatch(r"cron\((.*)\)", expression)
    if not inside:
        return "must be written cron(minute hour day-of-month month day-of-week year)"
    fields = inside[1].split()
    # The year may be left out. A seventh field was seen to be accepted by AWS.
    if len(fields) not in [5, 6, 7]:
        return f"has {len(fields)} fields; AWS wants six, as in cron(0 5 ? * * *)"
    if [fields[2], fields[4]].count("?") != 1:
        return "must have `?` for the day of the month or for the day of the week, and not for both"
    for (name, *_), field in zip(FIELDS, fields):
        if not is_field(name, field.upper()):
            return f"has no {name} that AWS knows: `{field}`"
    return None


def is_field(name: str, text: str) -> bool:
    """Returns `True` if a field is a list of numbers, or a form that depends on the calendar."""
    match name:
        case "day of month" if text == "?" or re.fullmatch(r"L(-([0-9]|[12][0-9]|30))?W?", text):
            return True
        case "day of month":
            text = re.sub(r"W(,|$)", r"\1", text)
        case "day of week" if text in ["?", "L"]:
            return True
        case "day of week" if text.endswith("L"):
            return "," not in text and "-" not in text and is_field(name, text[:-1])
        case "day of week" if text.count("#") == 1:
            text = re.sub(r"#[1-5](,|$)", r"\1", text)
    return numbers(name, text) is not None


def numbers(name: str, text: str) -> set[int] | None:
    """Returns the numbers that a field names, or `None` if it is not a list of numbers."""
    found: set[int] = set()
    for part in text.split(","):
        if (several := of_part(name, part)) is None:
            return None
        found.update(several)
    return found


def of_part(name: str, part: str) -> Iterable[int] | None:
    """Returns the numbers of `5`, `1-5`, `*`, `1/2`, `*/2`, `/2` or `1-5/2`, or `None`."""
    _, low, high, names = next(it for it in FIELDS if it[0] == name)
    match = re.fullmatch(r"(\*|(\w+)(?:-(\w+))?|(?=/))(?:/([0-9]{1,4}))?", part)
    if not match:
        return None
    first, last, step = match[2], match[3], match[4]
    start = as_number(first, names) if first else low
    end = as_number(last, names) if last else start
    if not first or (step and not last):
        end = high
    if not (start is not None and low <= start <= high and end is not None and low <= end <= high):
        return None
    if step and not 1 <= int(step) <= high:
        return None
    # A range may continue after the end, as in `FRI-MON`. Only a range of years may not.
    size = high - low + 1
    if start > end and name == "year":
        return None
    until = end + size if start > end else end
    return {it if it <= high else it - size for it in range(start, until + 1, int(step or 1))}


def as_number(text: str, names: list[str]) -> int | None:
    if text.upper() in names:
        return names.index(text.upper()) + 1
    return int(text) if re.fullmatch("[0-9]{1,4}", text) else None
