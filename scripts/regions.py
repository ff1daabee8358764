"""Writes the Regions of AWS into `crates/policy/data/regions.tsv`, or with `--check` compares them with it.

A line has the name of a Region, its partition, whether logically air-gapped vaults exist there, and
whether an account has to enable it. The Regions come from the newest botocore of this checkout, and the
vaults from the schemas of its cfn-lint. `make independent` and `make venv` install them.
"""

import datetime
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FILE = ROOT / "crates/policy/data/regions.tsv"
VAULT = "AWS::Backup::LogicallyAirGappedBackupVault"
# The Regions that an account has without enabling them. Newer ones of that partition have to be enabled.
ALWAYS_ENABLED = """
    ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-southeast-1 ap-southeast-2 ca-central-1
    eu-central-1 eu-north-1 eu-west-1 eu-west-2 eu-west-3 sa-east-1 us-east-1 us-east-2 us-west-1
    us-west-2
""".split()
# cfn-lint uses the schemas of this Region for a Region without schemas.
EVERYTHING = "us-east-1"


def newest(package: str) -> tuple[str, pathlib.Path]:
    """Returns the version and the folder of the newest installation of a Python package."""
    found = []
    for folder in [".venv", ".venv/independent"]:
        for it in (ROOT / folder).glob(f"lib/python3*/site-packages/{package}-*.dist-info"):
            version = it.name.removeprefix(f"{package}-").removesuffix(".dist-info")
            found.append(([int(part) for part in version.split(".")], version, it.parent))
    if not found:
        sys.exit(f"{package} is not installed; run `make venv`")
    _, version, folder = max(found)
    return version, folder


def partitions(botocore: pathlib.Path) -> dict[str, str]:
    """Returns each Region with its partition."""
    table = json.loads((botocore / "botocore/data/partitions.json").read_bytes())
    return {
        region: partition["id"]
        for partition in table["partitions"]
        for region in partition["regions"]
        if re.fullmatch(partition["regionRegex"], region)
    }


def air_gapped(schemas: pathlib.Path, region: str) -> str:
    """Returns `yes`, `no` or `unknown`, as AWS Backup has logically air-gapped vaults in a Region."""
    types = {name: read(schemas / f"{name}.json") for name in [region, EVERYTHING]}
    if types[region] is None or (region != EVERYTHING and types[region] == types[EVERYTHING]):
        return "unknown"
    return "yes" if VAULT in types[region] else "no"


def enabled(region: str, partition: str) -> str:
    """Returns `always` for a Region that an account has without enabling it, or `opt-in`."""
    return "opt-in" if partition == "aws" and region not in ALWAYS_ENABLED else "always"


def read(path: pathlib.Path) -> dict | None:
    return json.loads(path.read_bytes()) if path.is_file() else None


def main() -> None:
    botocore, library = newest("botocore")
    cfn_lint, schemas = newest("cfn_lint")
    schemas = schemas / "cfnlint/data/schemas/providers"
    regions = sorted(partitions(library).items())
    rows = [
        "\t".join([region, it, air_gapped(schemas, region), enabled(region, it)])
        for region, it in regions
    ]
    sources = f"botocore {botocore}, cfn-lint {cfn_lint}"
    if sys.argv[1:] != ["--check"]:
        head = f"as of\t{datetime.datetime.now(datetime.UTC).date()}\t{sources}"
        FILE.write_text("\n".join([head, *rows, ""]), "utf-8")
        return
    head, *known = FILE.read_text("utf-8").splitlines()
    # An older botocore knows fewer Regions.
    lacks = [f"lacks: {it}" for it in rows if it not in known]
    more = [f"has too much: {it}" for it in known if it not in rows and head.endswith(sources)]
    if problems := [*lacks, *more]:
        sys.exit("\n".join([*problems, f"{FILE.name}: run `python3 scripts/regions.py`"]))


if __name__ == "__main__":
    main()
