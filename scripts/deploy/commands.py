"""Runs the AWS CLI with the credentials of the account that is meant."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator

from plan import PARTITIONS, Plan, Stack, Upload
from speech import UNREAD, end, joined, quoted, tell

AGAIN = "Correct the cause and run the same command again. Completed steps are kept."


# The explanations of errors of the AWS CLI. S3 also answers 403 for an object that does not exist, if the
# identity may not list its bucket.
MEANINGS = {
    "(403) when calling the HeadObject": "The bucket belongs to another account, or your identity lacks s3:GetObject "
    "or s3:ListBucket there. Without s3:ListBucket, S3 does not tell whether the object exists.",
}

# The most seconds between two looks at an operation that is not done.
PATIENCE = 5.0

# The errors that say that something does not exist. Each is whole, with its code: a denial has names of roles
# in it, which may contain anything else.
NO_ENTITY = "An error occurred (NoSuchEntity) "
NO_KEY = "An error occurred (NotFoundException) "
NO_OBJECT = "An error occurred (404) "
NO_STACK_SET = "An error occurred (StackSetNotFoundException) "
# AWS Backup has been seen to say the latter, also to administrators. A denial of IAM names who is not authorized.
NO_VAULT = ["An error occurred (ResourceNotFoundException) ", ": Insufficient privileges to perform this action"]

# The error of the AWS CLI without credentials.
NO_CREDENTIALS = "Unable to locate credentials"


def pauses() -> Iterator[float]:
    """Yields the seconds before each next look at an operation. The first are short: most end soon."""
    seconds = 0.1
    while True:
        yield seconds
        seconds = min(2 * seconds, PATIENCE)


class Unreadable(Exception):
    """A request that AWS did not answer. It ends everything but a dry run."""


class Offline(Unreadable):
    """No AWS CLI or no credentials: the caller did not intend to read AWS."""


class Commands:
    """Runs commands. A failed command ends the program, except in a dry run, which only reads."""

    def __init__(self, plan: Plan, *, dry_run: bool) -> None:
        self.plan, self.dry_run = plan, dry_run

    def command(self, at: Stack | Upload, *words: str) -> list[str]:
        profile = self.plan.profiles.get(at.account)
        return ["aws", *words[:2], "--region", at.region, *profile_of(profile), *words[2:]]

    def partition(self, at: Stack) -> str:
        area = at.region.rsplit("-", 2)[0]
        return next(name for name, it in PARTITIONS.items() if area in it["areas"])

    def run(self, command: list[str], session: dict[str, str] | None = None) -> None:
        """Runs a command that changes something, with the credentials of a session if there is one."""
        if subprocess.run(command, check=False, env=os.environ | (session or {})).returncode:
            end(f"failed: {joined(command)}", AGAIN)

    def run_beside(self, command: list[str], patience: float, look: Callable[[], None]) -> str | None:
        """Runs a command that changes something, and calls `look` while it runs and after it.

        Returns the error if it fails.
        """
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdout=pipe, stderr=subprocess.STDOUT, text=True) as process:
            while True:
                try:
                    said, _ = process.communicate(timeout=patience)
                    break
                except subprocess.TimeoutExpired:
                    look()
        look()
        return said.strip() if process.returncode else None

    def wait_for(self, command: list[str]) -> None:
        """Runs a command that waits. The caller reads the state afterwards."""
        subprocess.run(command, check=False, stderr=subprocess.DEVNULL)

    def output(
        self, command: list[str], absent: str = "", session: dict[str, str] | None = None
    ) -> str | None:
        """Returns the output of a command, or `None` if its error says that there is nothing.

        In a dry run, it raises `Unreadable` if AWS does not answer.
        """
        done = self.attempt(command, session)
        if done.returncode == 0:
            return done.stdout.strip()
        if absent and absent in done.stderr:
            return None
        if self.dry_run:
            is_offline = NO_CREDENTIALS in done.stderr
            raise (Offline if is_offline else Unreadable)(done.stderr.strip())
        meant = [it for words, it in MEANINGS.items() if words in done.stderr]
        end(f"failed: {joined(command)}", *quoted(done.stderr), *meant, AGAIN, code=UNREAD)

    def attempt(
        self, command: list[str], session: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command that may fail."""
        try:
            environment = os.environ | (session or {})
            return subprocess.run(
                command, check=False, capture_output=True, text=True, env=environment
            )
        except FileNotFoundError:
            if not self.dry_run:
                raise
            raise Offline("the AWS CLI is not installed") from None

    def describe(self, stack: Stack) -> dict | None:
        """Returns a stack, or `None` if it does not exist."""
        words = ["describe-stacks", "--stack-name", stack.name, "--output", "json"]
        missing = f": Stack with id {stack.name} does not exist"
        answer = self.output(self.command(stack, "cloudformation", *words), absent=missing)
        return json.loads(answer)["Stacks"][0] if answer else None

    def template_of(self, stack: Stack) -> str:
        words = ["get-template", "--stack-name", stack.name]
        words += ["--query", "TemplateBody", "--output", "text"]
        return self.output(self.command(stack, "cloudformation", *words)) or ""

    def say(self, text: str) -> None:
        tell(text)


def profile_of(name: str | None) -> list[str]:
    return ["--profile", name] if name else []


def parameters_of(stack: dict) -> dict[str, str]:
    """Returns the parameters of a stack, as CloudFormation describes them."""
    return {it["ParameterKey"]: it["ParameterValue"] for it in stack.get("Parameters", [])}
