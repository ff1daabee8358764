"""Prints for people, and asks them.

Names in the parameter file and messages of AWS are untrusted text. This is the only module that prints, and
it escapes every character that is not visible, as the crate `media` does for the programs.
"""

import os
import shlex
import sys
from typing import NoReturn

# The codes of a program that found something or failed, and of one that could not run or could not read
# something, as those of `org-backup`.
FAILED, UNREAD = 1, 2

ESCAPES = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def line(text: str) -> str:
    """Returns the text as one line, escaped so that a pipeline does not read it as a command."""
    bare = text.lstrip()
    if bare.startswith("::"):
        text = text[: len(text) - len(bare)] + r"\u{3a}" + bare[1:]
    while "##" in text:
        text = text.replace("##", r"#\u{23}")
    return "".join(it if is_shown(it) else ESCAPES.get(it, f"\\u{{{ord(it):x}}}") for it in text)


def is_shown(it: str) -> bool:
    return it.isprintable() or it.isspace() and it not in "\n\v\f\r\t\x1c\x1d\x1e\x1f\x85\u2028\u2029"


def joined(words: list[str]) -> str:
    """Returns a command for a shell, on one line even if an argument has line breaks."""
    return " ".join(map(word, words))


def word(text: str) -> str:
    if line(text) == text:
        return shlex.quote(text)
    written = "".join(it if it.isascii() and it.isalnum() else f"\\U{ord(it):08x}" for it in text)
    return f"$'{written}'"


def tell(text: str) -> None:
    """Prints one line. If the reader closed the pipe, the work continues without output."""
    try:
        print(line(text), flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def ask(question: str) -> str | None:
    """Returns the answer to a question, or none if there is no terminal."""
    if not sys.stdin.isatty():
        return None
    try:
        return input(line(question)).strip()
    except EOFError:
        return ""


def quoted(text: str) -> list[str]:
    """Returns the lines of another program's message, indented."""
    return [f"  {it}" for it in text.strip().split("\n")]


def leave(code: int) -> NoReturn:
    """Ends the program with a code. The reason was printed before."""
    sys.exit(code)


def end(*lines: str, code: int = FAILED) -> NoReturn:
    """Ends the program with a code, and prints the reason."""
    print("\n".join(map(line, lines)), file=sys.stderr)
    sys.exit(code)
