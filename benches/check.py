#!/usr/bin/env python3
"""Times `org-backup check` on repositories of 5,000 files, and fails over the limit.

In the first, a typical one, a tenth of the files have policies. In the second, every file has one.

    python3 benches/check.py target/release/org-backup
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FILES = 5_000
LIMIT = 0.3  # seconds
RUNS = 11

POLICY = {
    "plans": {
        "daily": {
            "regions": {"@@assign": ["eu-north-1", "eu-west-3"]},
            "rules": {
                "nightly": {
                    "schedule_expression": {"@@assign": "cron(0 5 ? * * *)"},
                    "target_backup_vault_name": {"@@assign": "keep"},
                    "lifecycle": {"delete_after_days": {"@@assign": "35"}},
                }
            },
            "selections": {
                "tags": {
                    "chosen": {
                        "iam_role_arn": {"@@assign": "arn:aws:iam::$account:role/backup"},
                        "tag_key": {"@@assign": "tier"},
                        "tag_value": {"@@assign": ["gold"]},
                    }
                }
            },
        }
    }
}

TEMPLATE = {
    "Resources": {
        "Daily": {
            "Type": "AWS::Organizations::Policy",
            "Properties": {"Name": "daily", "Type": "BACKUP_POLICY", "Content": POLICY},
        }
    }
}

TERRAFORM = """resource "aws_organizations_policy" "daily_{number}" {{
  name    = "daily-{number}"
  type    = "BACKUP_POLICY"
  content = <<-POLICY
{policy}
  POLICY
}}
"""



def block(value: object, depth: int = 0) -> str:
    """Writes a policy as YAML in blocks."""
    if not isinstance(value, dict):
        return f" {json.dumps(value)}\n"
    lines = [f"{'  ' * depth}{json.dumps(key)}:{block(it, depth + 1)}" for key, it in value.items()]
    return ("\n" if depth else "") + "".join(lines)


def policy(_: int) -> str:
    return json.dumps(POLICY, indent=2)


def template(_: int) -> str:
    return json.dumps(TEMPLATE, indent=2)


def terraform(number: int) -> str:
    return TERRAFORM.format(number=number, policy=json.dumps(POLICY, indent=2))


# The kinds of files: the number of each in a hundred, the ending of its names, and its content.
MIXED = [
    (5, "json", policy),
    (3, "template.json", template),
    (2, "tf", terraform),
    (15, "package.json", lambda it: json.dumps({"name": f"part-{it}", "dependencies": {"a": "^1"}})),
    (15, "yaml", lambda it: f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c-{it}}}\n"),
    (60, "ts", lambda it: f"export const value{it} = {it};\n" * 40),
]
POLICIES = [
    (60, "json", policy),
    (20, "yaml", lambda _: block(POLICY)),
    (10, "template.json", template),
    (10, "tf", terraform),
]


def write(folder: Path, kinds: list) -> None:
    number = 0
    for share, end, text in kinds:
        for _ in range(FILES * share // 100):
            path = folder / f"part-{number % 97}" / f"file-{number}.{end}"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text(number))
            number += 1
    assert number == FILES, number


def took(program: Path, kinds: list) -> tuple[float, str]:
    """Returns the seconds that a check takes, and its summary line."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), kinds)
        seconds = []
        for _ in range(RUNS):
            begun = time.perf_counter()
            run = subprocess.run(
                [program, "check", "--strict", "."], cwd=folder, capture_output=True, text=True, check=False
            )
            seconds.append(time.perf_counter() - begun)
            assert run.returncode == 0, run.stdout + run.stderr
    return statistics.median(seconds), run.stderr.strip()


def main() -> None:
    program = Path(sys.argv[1]).resolve()
    is_slow = False
    for name, kinds in (("mixed", MIXED), ("policies", POLICIES)):
        seconds, words = took(program, kinds)
        print(f"{name}: {FILES:,} files: {seconds:.3f} s (median of {RUNS}, at most {LIMIT} s); {words}")
        is_slow |= seconds > LIMIT
    sys.exit(is_slow)


if __name__ == "__main__":
    main()
