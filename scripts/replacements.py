"""Writes `scripts/deploy/replacements.tsv`, or with `--check` compares it with what it would write.

A line has a type of resource that a template has, the properties whose change replaces the resource, and
those whose change may do so, as the schemas of cfn-lint have them. A property of which only a part
replaces the resource is one of the latter. `make venv` installs cfn-lint.

A custom resource is never replaced, since its function always answers with the same ID.
"""

import json
import re
import sys

from regions import ROOT, newest

FILE = ROOT / "scripts/deploy/replacements.tsv"
# Every Region has the schema of a type that it has, and this one has all types.
EVERYTHING = "us-east-1"


def rows(schemas) -> list[str]:
    text = "\n".join(it.read_text("utf-8") for it in sorted((ROOT / "templates").glob("*.yaml")))
    kinds = sorted(set(re.findall(r"^    Type: ((?:AWS|Custom)::[\w:]+)$", text, re.M)))
    known = json.loads((schemas / f"providers/{EVERYTHING}.json").read_bytes())
    found = []
    for kind in kinds:
        schema = {}
        if kind in known:
            schema = json.loads((schemas / f"resources/{known[kind]}.json").read_bytes())
        always, sometimes = set(), set()
        for path in schema.get("createOnlyProperties", []):
            _, _, name, *inner = path.split("/")
            (sometimes if inner else always).add(name)
        for path in schema.get("conditionalCreateOnlyProperties", []):
            sometimes.add(path.split("/")[2])
        found.append("\t".join([kind, " ".join(sorted(always)), " ".join(sorted(sometimes - always))]))
    return found


def main() -> None:
    version, folder = newest("cfn_lint")
    text = "\n".join([f"of\tcfn-lint {version}\t", *rows(folder / "cfnlint/data/schemas"), ""])
    if sys.argv[1:] != ["--check"]:
        FILE.write_text(text, "utf-8")
    elif FILE.read_text("utf-8") != text:
        sys.exit(f"{FILE.name} is out of date; run `python3 scripts/replacements.py`")


if __name__ == "__main__":
    main()
