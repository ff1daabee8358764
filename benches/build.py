#!/usr/bin/env python3
"""Times the build as a new contributor runs it, and writes docs/benchmarks/build.md.

Everything starts from nothing: a clone of the last commit, no registry of crates, no cache of pip and
no target directory. Only the toolchain of rustup exists. Nothing else should run at the same time.
It takes about an hour.
"""

import os
import pathlib
import platform
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/benchmarks/build.md"

HEAD = """\
# The cost of building

`make bench-build` builds a clone of the last commit with its own target directory, without a registry of crates and without a cache of pip, and writes this page.
Downloads are part of it.

| what | took |
|---|---:|
"""


class Clone:
    """A clone without any earlier builds or downloads."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.path = folder / "org-backup"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(self.path)], check=True)
        # The other inputs of the tests are in a folder beside the project.
        if (ROOT.parent / "shared").is_dir():
            (folder / "shared").symlink_to(ROOT.parent / "shared")
        (folder / "home").mkdir()
        environment = {it: value for it, value in os.environ.items() if it != "CARGO_TARGET_DIR"}
        self.environment = environment | {
            "CARGO_HOME": str(folder / "home"),
            "PIP_NO_CACHE_DIR": "1",
            "RUSTUP_HOME": os.environ.get("RUSTUP_HOME", str(pathlib.Path.home() / ".rustup")),
        }

    def time(self, *command: str) -> float:
        """Runs a command to its end and returns how many seconds it took."""
        print("+", *command, flush=True)
        begun = time.monotonic()
        subprocess.run(command, check=True, cwd=self.path, env=self.environment)
        took = time.monotonic() - begun
        print(f"+ took {duration(took)}", flush=True)
        return took

    def edit(self, file: str) -> None:
        """Changes a file without changing its meaning."""
        with (self.path / file).open("a") as it:
            it.write("\n// Edited.\n")

    def size(self, folder: str) -> int:
        """Returns the bytes that a folder takes on the disk."""
        told = subprocess.run(
            ["du", "--summarize", "--block-size=1", folder], check=True, cwd=self.path, stdout=subprocess.PIPE
        )
        return int(told.stdout.split()[0])


def duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def largest_process() -> int:
    """Returns the peak memory, in bytes, of the largest process that was waited for."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024


def measure(folder: pathlib.Path) -> Iterator[tuple[str, str]]:
    """Yields each figure as soon as it is measured, the one that takes longest last."""
    workspace = ["--locked", "--workspace", "--exclude", "page"]
    newcomer, worker = folder / "newcomer", folder / "worker"
    newcomer.mkdir()
    worker.mkdir()

    # Both are of one commit, even if somebody commits meanwhile.
    clone, second = Clone(newcomer), Clone(worker)
    yield "`make demo` from nothing", duration(clone.time("make", "demo"))
    yield "the largest process of `make demo`, which is a compiler", f"{largest_process() / 1e9:.2f} GB"
    took = clone.time(
        "cargo", "install", "--quiet", "--locked", "--path", "crates/cli",
        "--root", str(newcomer / "installed"), "--target-dir", str(newcomer / "install"),
    )
    yield "`cargo install --locked --path crates/cli`, with the crates fetched", duration(took)
    shutil.rmtree(newcomer)

    clone = second
    yield "`make test` from nothing, no demo before", duration(clone.time("make", "test"))
    clone.edit("crates/plan/src/policy_types.rs")
    took = clone.time("cargo", "test", "--locked", "--package", "plan", "--lib", "policy_types")
    yield "the first time after that: an edit in `plan`, to its test", duration(took)
    clone.edit("crates/plan/src/policy_types.rs")
    took = clone.time("cargo", "test", "--locked", "--package", "plan", "--lib", "policy_types")
    yield "an edit in `plan`, to its test", duration(took)
    clone.edit("functions/policy-types/src/lib.rs")
    took = clone.time("cargo", "build", *workspace, "--all-targets")
    took += clone.time("cargo", "test", *workspace, "--test", "scenarios", "policy_types")
    yield "an edit in a function, to the scenarios of one resource", duration(took)
    clone.time("make", "demo")
    yield "`target` after `make test` and `make demo`", f"{clone.size('target') / 1e9:.1f} GB"
    # What was edited is linted before.
    clone.time("make", "check")
    yield "`make test` again, nothing changed", duration(clone.time("make", "test"))


def machine() -> str:
    """Describes the machine of the measurement."""
    information = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.+)", information)
    memory = re.search(r"MemTotal:\s*(\d+)", pathlib.Path("/proc/meminfo").read_text())
    gigabytes = int(memory.group(1)) / 1e6 if memory else 0
    # Without one, `make test` leaves the tests of the page out.
    browser = "a" if any(map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])) else "no"
    version = subprocess.run(["rustc", "--version"], check=True, stdout=subprocess.PIPE, text=True)
    return (
        f"{os.cpu_count()} cores of {model.group(1) if model else 'an unknown processor'}, "
        f"{gigabytes:.0f} GB of memory; {version.stdout.strip()}, Python {platform.python_version()}, "
        f"{browser} browser."
    )


def main() -> None:
    if subprocess.run(["git", "diff", "--quiet", "HEAD"], cwd=ROOT).returncode:
        sys.exit("there are changes that are not committed, and a clone would not have them; hint: commit them first")
    with tempfile.TemporaryDirectory(prefix="org-backup ") as folder:
        table = ""
        for what, took in measure(pathlib.Path(folder)):
            table += f"| {what} | {took} |\n"
            # An interrupted run leaves what it has measured.
            PAGE.write_text(f"{HEAD}{table}\nMeasured on {machine()}\n")
    print(PAGE.read_text())


if __name__ == "__main__":
    main()
