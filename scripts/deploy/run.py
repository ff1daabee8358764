"""Carries a plan out with the AWS CLI."""

import json
import pathlib
import shlex
import subprocess
import sys

from plan import INLINE, Plan, Stack, Upload

# A change set that nobody executed leaves a stack with nothing in it.
NEW = "REVIEW_IN_PROGRESS"
# A stack in one of these can be updated.
SETTLED = """
    CREATE_COMPLETE IMPORT_COMPLETE IMPORT_ROLLBACK_COMPLETE UPDATE_COMPLETE
    UPDATE_ROLLBACK_COMPLETE
""".split()


class Runner:
    """Runs commands, or with `dry_run` prints them and runs none.

    A command that fails ends the program. Everything before it stays done, and is found done when the
    program is run again.
    """

    def __init__(self, plan: Plan, *, command: pathlib.Path, dry_run: bool) -> None:
        self.plan, self.org_backup, self.dry_run = plan, command, dry_run

    def deploy(self) -> None:
        self.note()
        self.identify()
        self.upload()
        for stack in self.plan.stacks:
            self.deploy_stack(stack)
        self.examine()

    def examine(self) -> None:
        """Says what the organization lacks for what was deployed to work."""
        self.say("What the organization lacks is what `org-backup doctor` says now.")
        self.say("A fresh account has no trail, for example, and without one no event ever comes.")
        if self.dry_run:
            return
        if not self.org_backup.is_file():
            text = f"The command is not at {self.org_backup}"
            self.say(f"{text}; run it as docs/plan-and-doctor.md says.")
            return
        first = self.plan.stacks[0]
        outputs = (self.describe(first) or {}).get("Outputs", [])
        bucket = [it["OutputValue"] for it in outputs if it["OutputKey"] == "StateBucketName"]
        words = [str(self.org_backup), "doctor", "--region", first.region]
        words += profile_of(self.plan.profiles.get(first.account))
        words += ["--state-bucket", *bucket] if bucket else []
        # What it finds is no failure of the deployment, whose stacks are as they should be.
        subprocess.run(words, check=False)

    def note(self) -> None:
        """Says what was asked for and is not made."""
        for note in self.plan.notes:
            self.say(note)

    def undeploy(self) -> None:
        self.identify()
        for stack in reversed(self.plan.stacks):
            self.delete_stack(stack)
        self.say("What that does:")
        for stack in reversed(self.plan.stacks):
            self.say(f"- {stack.name} in {stack.region}: {stack.template.leaves}")
        self.say("Backups go on as before, unless an OnDelete in the file said otherwise.")
        self.say("The archives stay in their buckets.")

    def identify(self) -> None:
        """Makes sure that nothing is done in an account or organization that is not meant."""
        accounts = {it.account: it for it in reversed(self.plan.stacks)}
        for account, stack in sorted(accounts.items()):
            self.say(f"The credentials have to be those of {account}.")
            words = ["sts", "get-caller-identity", "--query", "Account", "--output", "text"]
            found = self.ask(self.command(stack, *words))
            if found not in [None, account]:
                sys.exit(f"these are credentials of {found}, not of {account}; nothing was changed")
        self.say(f"They have to manage the organization {self.plan.organization}.")
        query = "Organization.[Id, MasterAccountId]"
        words = ["organizations", "describe-organization", "--query", query, "--output", "json"]
        answer = self.ask(self.command(accounts[self.plan.management], *words))
        meant = [self.plan.organization, self.plan.management]
        if answer is not None and json.loads(answer) != meant:
            text = "this is organization {} managed by {}, not {} by {}; nothing was changed"
            sys.exit(text.format(*json.loads(answer), *meant))

    def upload(self) -> None:
        present: dict[tuple[str, str], list[str]] = {}
        for it in self.plan.uploads:
            folder = it.key.rpartition("/")[0] + "/"
            if (it.bucket, folder) not in present:
                self.say(f"What is in {it.bucket} already is not uploaded again.")
                words = ["--bucket", it.bucket, "--prefix", folder]
                words += ["--query", "Contents[].Key", "--output", "json"]
                keys = self.ask(self.command(it, "s3api", "list-objects-v2", *words))
                present[it.bucket, folder] = json.loads(keys or "null") or []
            if it.key not in present[it.bucket, folder]:
                words = ["--only-show-errors", str(it.source), f"s3://{it.bucket}/{it.key}"]
                self.run(self.command(it, "s3", "cp", *words))

    # Stacks.

    def deploy_stack(self, stack: Stack) -> None:
        at = f"{stack.name} in {stack.region}"
        found = self.find(stack, "deployed if it is not as it should be")
        match found["StackStatus"] if found else NEW:
            case "ROLLBACK_COMPLETE":
                # A stack that could not be created can only be deleted.
                self.say(f"{at} could not be created last time. It is created anew.")
                self.delete(stack)
            case status if status not in [NEW, *SETTLED]:
                sys.exit(self.stuck(stack, status))
            case _ if found and self.is_as_it_should_be(stack, found):
                self.say(f"{at} is as it should be.")
                return
            case _ if not self.dry_run:
                self.say(f"{at} is deployed.")
        self.run(self.deployment(stack))

    def deployment(self, stack: Stack) -> list[str]:
        words = ["--stack-name", stack.name, "--template-file", str(stack.template.path)]
        if len(stack.template.text.encode()) > INLINE:
            words += ["--s3-bucket", stack.bucket, "--s3-prefix", "org-backup/templates"]
        words += ["--capabilities", "CAPABILITY_NAMED_IAM", "--no-fail-on-empty-changeset"]
        words += ["--parameter-overrides"]
        words += [f"{key}={value}" for key, value in stack.parameters.items()]
        return self.command(stack, "cloudformation", "deploy", *words)

    def delete_stack(self, stack: Stack) -> None:
        if self.find(stack, "deleted if it is there") or self.dry_run:
            self.say(f"{stack.name} in {stack.region} is deleted.")
            self.delete(stack)
        else:
            self.say(f"{stack.name} in {stack.region} is not there.")

    def delete(self, stack: Stack) -> None:
        name = ["--stack-name", stack.name]
        self.run(self.command(stack, "cloudformation", "delete-stack", *name))
        self.run(self.command(stack, "cloudformation", "wait", "stack-delete-complete", *name))

    def find(self, stack: Stack, what: str) -> dict | None:
        """The stack, once nobody works on it any more: an earlier run may have been interrupted."""
        if self.dry_run:
            self.say(f"{stack.name} in {stack.region} is {what}.")
        while (found := self.describe(stack)) and is_busy(found["StackStatus"]):
            status = found["StackStatus"]
            self.say(f"{stack.name} in {stack.region} is {status}, which is waited for.")
            words = ["cloudformation", "wait", waiter(status), "--stack-name", stack.name]
            # Whatever comes of it is found by looking again.
            subprocess.run(self.command(stack, *words), check=False, stderr=subprocess.DEVNULL)
        return found

    def describe(self, stack: Stack) -> dict | None:
        words = ["describe-stacks", "--stack-name", stack.name, "--output", "json"]
        answer = self.ask(self.command(stack, "cloudformation", *words), absent="does not exist")
        return json.loads(answer)["Stacks"][0] if answer else None

    def is_as_it_should_be(self, stack: Stack, found: dict) -> bool:
        found_there = {
            it["ParameterKey"]: it["ParameterValue"] for it in found.get("Parameters", [])
        }
        if found_there != {key: as_kept(it) for key, it in stack.parameters.items()}:
            return False
        words = ["get-template", "--stack-name", stack.name]
        words += ["--query", "TemplateBody", "--output", "text"]
        body = self.ask(self.command(stack, "cloudformation", *words)) or ""
        return as_kept(body).strip() == as_kept(stack.template.text).strip()

    def stuck(self, stack: Stack, status: str) -> str:
        at = f"{stack.name} in {stack.region} is {status}; its events in CloudFormation say why"
        words = ["cloudformation", "delete-stack", "--stack-name", stack.name]
        if status == "UPDATE_ROLLBACK_FAILED":
            words[1] = "continue-update-rollback"
        command = shlex.join(self.command(stack, *words))
        return f"{at}. Put that right, run `{command}`, and then the same again."

    # Commands.

    def command(self, at: Stack | Upload, *words: str) -> list[str]:
        profile = self.plan.profiles.get(at.account)
        return ["aws", *words[:2], "--region", at.region, *profile_of(profile), *words[2:]]

    def run(self, command: list[str]) -> None:
        """Runs what changes something."""
        if self.dry_run:
            print(shlex.join(command))
        elif subprocess.run(command, check=False).returncode:
            sys.exit(f"failed: {shlex.join(command)}\n{AGAIN}")

    def ask(self, command: list[str], absent: str = "") -> str | None:
        """Runs what only reads. There is no answer where what it asks for is not there."""
        if self.dry_run:
            print(shlex.join(command))
            return None
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode == 0:
            return done.stdout.strip()
        if absent and absent in done.stderr:
            return None
        sys.exit(f"failed: {shlex.join(command)}\n{done.stderr.strip()}\n{AGAIN}")

    def say(self, text: str) -> None:
        print(f"# {text}" if self.dry_run else text, flush=True)


AGAIN = "Put right what it says and run the same again. What is done stays done."


def profile_of(name: str | None) -> list[str]:
    return ["--profile", name] if name else []


def as_kept(text: str) -> str:
    """A template or a parameter as CloudFormation tells it: with question marks for what is not ASCII."""
    return text.encode("ascii", "replace").decode()


def is_busy(status: str) -> bool:
    return status.endswith("_IN_PROGRESS") and status != NEW


def waiter(status: str) -> str:
    for beginning, name in WAITERS.items():
        if status.startswith(beginning):
            return name
    return "stack-create-complete"


WAITERS = {
    "DELETE": "stack-delete-complete",
    "IMPORT": "stack-import-complete",
    "UPDATE_ROLLBACK": "stack-rollback-complete",
    "UPDATE": "stack-update-complete",
}
