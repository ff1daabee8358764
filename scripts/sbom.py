"""Lists the crates that a function is linked from, as CycloneDX.

`cargo tree` gives the list, since the linked crates depend on the features and the target, and not on
`Cargo.lock` alone. The list has no time and no serial number, so that the same function has the same list.
"""

import json
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).parent.parent
TARGET = "x86_64-unknown-linux-gnu"


def sbom(function: str) -> bytes:
    """Returns the bill of materials of a function, without the crates that only build it."""
    tree = subprocess.run(
        ["cargo", "tree", "--locked", "--package", function, "--edges", "normal,no-proc-macro", "--target", TARGET]
        + ["--prefix", "none", "--format", "{p}|{l}"],
        check=True,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    lock = (ROOT / "Cargo.lock").read_text()
    found = re.findall(r'name = "(.+)"\nversion = "(.+)"\nsource = ".+"\nchecksum = "(.+)"', lock)
    checksums = {(name, version): checksum for name, version, checksum in found}
    components = {}
    for line in tree.stdout.splitlines():
        package, licence = line.removesuffix(" (*)").rsplit("|", 1)
        name, version = package.split()[:2]
        version = version.removeprefix("v")
        component = {
            "type": "library",
            "bom-ref": f"{name}@{version}",
            "name": name,
            "version": version,
            "licenses": [{"expression": " ".join(licence.replace("/", " OR ").split())}],
        }
        if checksum := checksums.get((name, version)):
            component["purl"] = f"pkg:cargo/{name}@{version}"
            component["hashes"] = [{"alg": "SHA-256", "content": checksum}]
        components[name, version] = component
    itself = next(it for key, it in components.items() if key[0] == function)
    components.pop((function, itself["version"]))
    bom = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": itself | {"type": "application"}},
        "components": [components[key] for key in sorted(components)],
    }
    return json.dumps(bom, indent=1).encode() + b"\n"
