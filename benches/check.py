#!/usr/bin/env python3
"""Times `org-backup check` on a repository of 5,000 files, and fails over the limit.

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

# The kinds of files: the number of each in a hundred, the ending of its names, and its content.
KINDS = [
    (5, "json", lambda _: json.dumps(POLICY, indent=2)),
    (3, "template.json", lambda _: json.dumps(TEMPLATE, indent=2)),
    (2, "tf", lambda it: TERRAFORM.format(number=it, policy=json.dumps(POLICY, indent=2))),
    (15, "package.json", lambda it: json.dumps({"name": f"part-{it}", "dependencies": {"a": "^1"}})),
    (15, "yaml", lambda it: f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c-{it}}}\n"),
    (60, "ts", lambda it: f"export const value{it} = {it};\n" * 40),
]


def write(folder: Path) -> None:
    number = 0
    for share, end, text in KINDS:
        for _ in range(FILES * share // 100):
            path = folder / f"part-{number % 97}" / f"file-{number}.{end}"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text(number))
            number += 1
    assert number == FILES, number


def main() -> None:
    program = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder))
        seconds = []
        for _ in range(RUNS):
            begun = time.perf_counter()
            run = subprocess.run(
                [program, "check", "--strict", "."], cwd=folder, capture_output=True, text=True, check=False
            )
            seconds.append(time.perf_counter() - begun)
            assert run.returncode == 0, run.stdout + run.stderr
    took = statistics.median(seconds)
    print(f"{FILES:,} files: {took:.3f} s (median of {RUNS}, at most {LIMIT} s); {run.stderr.strip()}")
    sys.exit(took > LIMIT)


if __name__ == "__main__":
    main()
