"""Deploys what a parameter file asks for, or deletes it again.

`check` reports the mistakes in the file. AWS is not called until there are none. At a terminal, the other
actions ask for missing values. Needs Python 3.11 and the AWS CLI, and a folder with the templates in
`templates` and the archives of the functions.
"""

import argparse
import os
import pathlib
import re
import sys

if sys.version_info < (3, 11):
    sys.exit("Python 3.11 or newer is needed, which reads TOML")
# Writes no bytecode into a release.
sys.dont_write_bytecode = True

import tomllib

import template
from everything import ROLE
from parameters import Parameters, Problem
from plan import Plan, Planner
from run import Runner
from speech import UNREAD, end, line, tell


def main() -> None:
    arguments = read_arguments()
    values = read_file(arguments.file)
    templates = arguments.release / "templates"
    known = {it.stem: template.read(it) for it in sorted(templates.glob("*.yaml"))}
    asks = sys.stdin.isatty()
    while True:
        parameters = Parameters(values, known, arguments.file.parent)
        plan = Planner(parameters, arguments.release, arguments.archives).plan
        # Archives are built after the file is checked. Undeploying and a dry run need none.
        problems = parameters.problems
        if arguments.dry_run:
            problems = [it for it in problems if not it.unbuilt]
        if arguments.action != "deploy":
            problems = [it for it in problems if not it.key[0].endswith(".zip")]
        missing = [it for it in problems if it.missing]
        if not problems:
            break
        # A later run asks for these, so they are only named here.
        is_asked_later = arguments.action == "check" and arguments.asked_later
        if missing == problems and asks and is_asked_later:
            for it in missing:
                tell(f"{arguments.file}: {it}; you are asked for it below")
            return
        if missing != problems or not asks or arguments.action == "check":
            end(*[f"{arguments.file}: {it}" for it in problems])
        ask_for(missing, values)
    carry_out(plan, arguments)


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="deploy", description=__doc__)
    parser.add_argument("action", choices=["check", "deploy", "undeploy"])
    parser.add_argument("file", type=pathlib.Path, help="the parameter file, like examples/org.toml")
    parser.add_argument("--dry-run", action="store_true", help="print what would change, and change nothing")
    parser.add_argument("--yes", action="store_true", help="confirm: deploy without asking, or undeploy")
    parser.add_argument("--members", action="store_true", help="undeploy: member stacks as well")
    parser.add_argument("--everything", action="store_true", help="undeploy: backups, vaults, keys and roles as well")
    parser.add_argument("--role", default=ROLE, help="undeploy: the role in the accounts that is assumed to delete there")
    parser.add_argument("--asked-later", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--release", type=pathlib.Path, help="the folder of `templates`")
    parser.add_argument("--archives", type=pathlib.Path, help="the folder of the archives")
    parser.add_argument("--command", type=pathlib.Path, help="the command `org-backup`")
    arguments = parser.parse_args()
    # This program is beside the templates in a release, and one folder deeper in the repository.
    parent = pathlib.Path(__file__).resolve().parent.parent
    places = [it for it in [parent, parent.parent] if (it / "templates").is_dir()]
    arguments.release = arguments.release or next(iter(places), parent)
    arguments.archives = arguments.archives or arguments.release
    arguments.command = arguments.command or arguments.release / "org-backup"
    return arguments


def read_file(file: pathlib.Path) -> dict:
    try:
        text = file.read_text("utf-8")
        if text.startswith("\ufeff"):
            end(f"{file}: begins with a byte-order mark; save it as UTF-8 without one")
        return tomllib.loads(text)
    except FileNotFoundError:
        end(f"{file}: does not exist; copy examples/org.toml and fill it in", code=UNREAD)
    except UnicodeDecodeError:
        end(f"{file}: is not UTF-8; save it as UTF-8 without a byte-order mark", code=UNREAD)
    except tomllib.TOMLDecodeError as error:
        end(f"{file}: {error}{unquoted(text, str(error))}")
    except OSError as error:
        end(f"{file}: {error}", code=UNREAD)


def unquoted(text: str, error: str) -> str:
    """Returns a hint if the line of an error has a value without quotes."""
    place = re.search(r"at line ([0-9]+)", error)
    line_of_error = text.splitlines()[int(place[1]) - 1 :][:1] if place else []
    for it in line_of_error:
        if found := re.match(r"""\s*([\w-]+)\s*=\s*([^\s"'\[{#][^#"']*)""", it):
            return f'; text needs quotes: {found[1]} = "{found[2].strip()}"'
    return ""


def ask_for(missing: list[Problem], values: dict) -> None:
    for it in missing:
        tell(str(it))
        answer = input(line(f"{it.name} = ")).strip()
        table = values
        for name in it.key[:-1]:
            # The key of a policy is its number.
            table = table[int(name) - 1] if isinstance(table, list) else table.setdefault(name, {})
        parts = [part.strip() for part in answer.split(",")]
        table[it.key[-1]] = parts if it.is_list else answer


def carry_out(plan: Plan, arguments: argparse.Namespace) -> None:
    os.environ["AWS_PAGER"] = ""
    runner = Runner(plan, command=arguments.command, dry_run=arguments.dry_run)
    match arguments.action:
        case "check":
            runner.note()
        case "deploy":
            runner.deploy(confirmed=arguments.yes)
        case "undeploy" if arguments.members != arguments.everything:
            end("--members and --everything go together: member stacks alone would leave vaults whose names are taken")
        case "undeploy" if arguments.everything:
            runner.undeploy_everything(arguments.role, confirmed=arguments.yes)
        case "undeploy" if arguments.yes or arguments.dry_run:
            runner.undeploy()
        case "undeploy":
            names = [f"- {it.name} in {it.region}" for it in plan.deleted]
            end("this would delete", *names, "add CONFIRM=yes (make) or --yes; nothing was changed")


if __name__ == "__main__":
    try:
        main()
    except FileNotFoundError as error:
        hint = "the AWS CLI is not installed" if error.filename == "aws" else str(error)
        end(hint, code=UNREAD)
    except (EOFError, KeyboardInterrupt):
        end("interrupted; run the same command again to continue")
