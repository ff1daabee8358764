"""Draws `docs/terminal.svg`, the output of `org-backup` at a terminal.

The commands run against a simulated organization of twelve accounts with nothing enabled, so the
picture is the same on every machine. With `--check`, nothing is written, and a picture that differs
from the output of the commands is an error.
"""

import argparse
import contextlib
import errno
import fcntl
import json
import os
import pathlib
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
import unicodedata
from xml.sax.saxutils import escape

ROOT = pathlib.Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "terminal.svg"
COMMANDS = [["check", "daily.json"], ["report"]]
COLUMNS = 100
# The simulator's clock begins at this minute, and the command may read a moment before it.
BEGIN = "2026-01-01 00:00 UTC"
# The size of a character and the space around the text, in pixels.
WIDTH, HEIGHT, MARGIN = 8.4, 20, 16
COLOURS = {1: "#ff7b72", 2: "#7ee787", 3: "#e3b341", 4: "#79c0ff", 5: "#d2a8ff", 6: "#76e3ea", 7: "#f0f6fc"}
ESCAPE = re.compile(r"\x1b\[([0-9;]*)([A-Za-z])")


def write_mistake(folder):
    """Writes a policy of this repository with the usual mistake: a schedule that has no `?`."""
    text = (ROOT / "policies" / "ec2-30-days.json").read_text(encoding="utf-8")
    wrong = text.replace("cron(30 1 ? * * *)", "cron(30 1 * * *)")
    assert wrong != text, "the policy has another schedule by now"
    (folder / "daily.json").write_text(wrong, encoding="utf-8")


@contextlib.contextmanager
def simulated(programs):
    """Starts the simulator and yields the environment of a caller in its management account."""
    command = [programs / "simulator", "--accounts", "12", "--rates", "off"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as simulator:
        try:
            endpoint = json.loads(simulator.stdout.readline())["endpoint"]
            yield {
                "AWS_ENDPOINT_URL": endpoint,
                "AWS_ACCESS_KEY_ID": "111122223333",
                "AWS_SECRET_ACCESS_KEY": "secret",
                "AWS_REGION": "us-east-1",
                "AWS_CONFIG_FILE": os.devnull,
                "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
                "AWS_EC2_METADATA_DISABLED": "true",
                "TERM": "xterm",
            }
        finally:
            simulator.terminate()


def shown(command, folder, environment):
    """Runs a command at a terminal and returns what it shows there."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, cwd=folder, env=environment
    ):
        os.close(theirs)
        parts = []
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError as error:
                # Linux returns EIO once the last program has closed its end.
                if error.errno != errno.EIO:
                    raise
                break
            if not part:
                break
            parts.append(part)
    os.close(ours)
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", BEGIN, b"".join(parts).decode())


def cells(text):
    """Yields the lines of the terminal, each a list of characters with their style."""
    for line in text.replace("\r\n", "\n").rstrip("\n").split("\n"):
        style, row, position = (None, False), [], 0
        for found in [*ESCAPE.finditer(line), None]:
            end = found.start() if found else len(line)
            row += [(it, style) for it in line[position:end]]
            if found:
                position = found.end()
                if found[2] == "m":
                    style = styled(style, found[1])
        while True:
            yield row[:COLUMNS]
            row = row[COLUMNS:]
            if not row:
                break


def styled(style, codes):
    """Returns the colour and the weight after an escape sequence."""
    colour, bold = style
    for code in (int(it or 0) for it in codes.split(";")):
        if code == 0:
            colour, bold = None, False
        elif code == 1:
            bold = True
        elif 31 <= code <= 37 or 91 <= code <= 97:
            colour = COLOURS[code % 10]
        elif code == 39:
            colour = None
    return colour, bold


def drawn(rows):
    """Yields the SVG of the lines."""
    width, height = COLUMNS * WIDTH + 2 * MARGIN, len(rows) * HEIGHT + 2 * MARGIN
    told = ", then ".join(f"org-backup {' '.join(it)}" for it in COMMANDS)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img"'
        ' font-family="ui-monospace, \'Liberation Mono\', \'DejaVu Sans Mono\', Menlo, Consolas, monospace" font-size="14">'
    )
    yield f"<title>At a terminal: {escape(told)}</title>"
    yield f'<rect width="{width:g}" height="{height:g}" rx="8" fill="#0d1117"/>'
    yield '<g fill="#e6edf3">'
    for number, row in enumerate(rows, 1):
        y = MARGIN + number * HEIGHT - 6
        for column, (text, (colour, bold)) in runs(row):
            if not text.strip():
                continue
            look = (f' fill="{colour}"' if colour else "") + (' font-weight="700"' if bold else "")
            x = MARGIN + column * WIDTH
            length = len(text) * WIDTH
            # Browsers collapse spaces, except no-break spaces.
            line = escape(text).replace(" ", "\N{NO-BREAK SPACE}")
            yield f'<text x="{x:g}" y="{y:g}" textLength="{length:g}"{look}>{line}</text>'
    yield "</g>"
    yield "</svg>"


def runs(row):
    """Yields the neighbours of one style, each with its column."""
    start = 0
    for end in range(1, len(row) + 1):
        if end == len(row) or row[end][1] != row[start][1]:
            text = "".join(character for character, _ in row[start:end])
            yield start, (text, row[start][1])
            start = end


def picture(programs):
    """Returns the picture of all commands, one after the other."""
    rows = []
    with tempfile.TemporaryDirectory() as name, simulated(programs) as environment:
        folder = pathlib.Path(name)
        write_mistake(folder)
        for command in COMMANDS:
            text = shown([programs / "org-backup", *command], folder, environment)
            rows += [*cells(f"\x1b[1m$ org-backup {' '.join(command)}\x1b[0m\n{text}"), []]
    wide = {it for row in rows for it, _ in row if unicodedata.east_asian_width(it) in "WF"}
    assert not wide, f"these characters take two columns: {wide}"
    return "\n".join(drawn(rows[:-1])) + "\n"


def main():
    """Writes or checks the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("programs", type=pathlib.Path, help="the folder with the programs, like target/debug")
    parser.add_argument("--check", action="store_true", help="write nothing, and fail if the picture differs")
    arguments = parser.parse_args()
    made = picture(arguments.programs.resolve())
    if not arguments.check:
        PICTURE.write_text(made, encoding="utf-8")
    elif PICTURE.read_text(encoding="utf-8") != made:
        sys.exit(f"{PICTURE}: it differs from the output of the commands; hint: make pictures")


if __name__ == "__main__":
    main()
