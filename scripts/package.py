#!/usr/bin/env python3
"""Packs function binaries for AWS Lambda: the same bytes in, the same bytes out.

Writes PACKAGE/org-backup/<hash of everything>/<function>.zip, with the templates beside them, the crates
of each function in <function>.cdx.json, and the checksums of all in SHA256SUMS. Prints
`org-backup/<hash>/`, the `ArtifactPrefix` of the templates. Earlier packages are removed.

With `--local`, the functions are for this machine alone, as the demo runs them: the folder is called
`local-<hash>`, every C library is accepted, and no lists and no checksums are written.
"""

import argparse
import hashlib
import pathlib
import re
import shutil
import sys
import zipfile

from sbom import sbom

# The C library of Amazon Linux 2023, which is the base of `provided.al2023`.
GLIBC = (2, 34)
TEMPLATES = pathlib.Path(__file__).parent.parent / "templates"


def pack(binary: bytes, archive: pathlib.Path, level: int) -> None:
    """Writes an archive that holds `binary` as the `bootstrap` that Lambda starts."""
    entry = zipfile.ZipInfo("bootstrap", date_time=(1980, 1, 1, 0, 0, 0))
    entry.create_system = 3  # Unix, whose permissions follow.
    entry.external_attr = 0o100755 << 16
    with zipfile.ZipFile(archive, "w") as it:
        it.writestr(entry, binary, compress_type=zipfile.ZIP_DEFLATED, compresslevel=level)


def needs(binary: bytes) -> tuple[int, int]:
    """Returns the newest version of the C library whose symbols `binary` needs."""
    versions = re.findall(rb"\0GLIBC_(\d+)\.(\d+)(?=[.\0])", binary)
    return max(((int(major), int(minor)) for major, minor in versions), default=(0, 0))


def main(binaries: pathlib.Path, package: pathlib.Path, functions: list[str], local: bool) -> None:
    contents = {}
    for name in sorted(functions):
        # `cargo lambda build` has a folder for each function, with its `bootstrap`.
        folder, plain = binaries / name / "bootstrap", binaries / name
        contents[name] = (folder if folder.is_file() else plain).read_bytes()
        if not local and needs(contents[name]) > GLIBC:
            found = ".".join(map(str, needs(contents[name])))
            sys.exit(
                f"{name} needs glibc {found}, which Amazon Linux 2023 does not have; "
                "hint: build it with `make package`, which uses the C library of Lambda"
            )

    # Stacks and StackSets read the templates and the definition of the state machine from there as
    # well.
    templates = {it.name: it.read_bytes() for it in sorted(TEMPLATES.iterdir())}

    digest = hashlib.sha256()
    for name, content in (contents | templates).items():
        digest.update(name.encode() + hashlib.sha256(content).digest())
    prefix = f"org-backup/{'local-' if local else ''}{digest.hexdigest()}/"

    shutil.rmtree(package, ignore_errors=True)
    folder = package / prefix
    folder.mkdir(parents=True)
    for name, binary in contents.items():
        pack(binary, folder / f"{name}.zip", level=1 if local else 9)
    for name, template in templates.items():
        (folder / name).write_bytes(template)
    if not local:
        for name in contents:
            (folder / f"{name}.cdx.json").write_bytes(sbom(name))
        files = sorted(folder.iterdir())
        sums = [f"{hashlib.sha256(it.read_bytes()).hexdigest()}  {it.name}\n" for it in files]
        (folder / "SHA256SUMS").write_text("".join(sums))
    print(prefix)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--local", action="store_true", help="pack for this machine alone")
    parser.add_argument("binaries", type=pathlib.Path, help="the folder that the functions were built into")
    parser.add_argument("package", type=pathlib.Path, help="the folder to write")
    parser.add_argument("functions", nargs="+", metavar="function")
    main(**vars(parser.parse_args()))
