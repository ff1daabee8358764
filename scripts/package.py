#!/usr/bin/env python3
"""Packs function binaries for AWS Lambda: the same bytes in, the same bytes out.

usage: package.py BINARIES PACKAGE FUNCTION...

Writes PACKAGE/org-backup/<hash of everything>/<function>.zip, with the templates beside them, what
each function is linked from in <function>.cdx.json, and the checksums of all in SHA256SUMS. Prints
`org-backup/<hash>/`, the `ArtifactPrefix` of the templates. What was packed before is removed.
"""

import hashlib
import pathlib
import re
import shutil
import sys
import zipfile

from sbom import sbom

# The C library of Amazon Linux 2023, which `provided.al2023` is made of.
GLIBC = (2, 34)
TEMPLATES = pathlib.Path(__file__).parent.parent / "templates"


def pack(binary: bytes, archive: pathlib.Path) -> None:
    """Writes an archive that holds `binary` as the `bootstrap` that Lambda starts."""
    entry = zipfile.ZipInfo("bootstrap", date_time=(1980, 1, 1, 0, 0, 0))
    entry.create_system = 3  # Unix, whose permissions follow.
    entry.external_attr = 0o100755 << 16
    with zipfile.ZipFile(archive, "w") as it:
        it.writestr(entry, binary, compress_type=zipfile.ZIP_DEFLATED, compresslevel=9)


def needs(binary: bytes) -> tuple[int, int]:
    """The newest version of the C library whose symbols `binary` asks for."""
    versions = re.findall(rb"\0GLIBC_(\d+)\.(\d+)(?=[.\0])", binary)
    return max(((int(major), int(minor)) for major, minor in versions), default=(0, 0))


def main(binaries: str, package: str, *functions: str) -> None:
    contents = {}
    for name in sorted(functions):
        # `cargo lambda build` has a folder for each function, with its `bootstrap`.
        folder, plain = pathlib.Path(binaries, name, "bootstrap"), pathlib.Path(binaries, name)
        contents[name] = (folder if folder.is_file() else plain).read_bytes()
        if needs(contents[name]) > GLIBC:
            found = ".".join(map(str, needs(contents[name])))
            sys.exit(
                f"{name} needs glibc {found}, which Amazon Linux 2023 does not have; "
                "hint: build it with `make package`, which takes the C library of Lambda"
            )

    # Stacks and StackSets take templates and the definition of the state machine from there as well.
    templates = {it.name: it.read_bytes() for it in sorted(TEMPLATES.iterdir())}

    digest = hashlib.sha256()
    for name, content in (contents | templates).items():
        digest.update(name.encode() + hashlib.sha256(content).digest())
    prefix = f"org-backup/{digest.hexdigest()[:16]}/"

    shutil.rmtree(package, ignore_errors=True)
    folder = pathlib.Path(package, prefix)
    folder.mkdir(parents=True)
    for name, binary in contents.items():
        pack(binary, folder / f"{name}.zip")
        (folder / f"{name}.cdx.json").write_bytes(sbom(name))
    for name, template in templates.items():
        (folder / name).write_bytes(template)
    files = sorted(folder.iterdir())
    sums = [f"{hashlib.sha256(it.read_bytes()).hexdigest()}  {it.name}\n" for it in files]
    (folder / "SHA256SUMS").write_text("".join(sums))
    print(prefix)


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
