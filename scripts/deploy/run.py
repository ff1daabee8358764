"""Carries a plan out with the AWS CLI."""

import dataclasses
import json
import os
import pathlib
import subprocess
import time
from collections.abc import Callable

from everything import Everything
from members import ROLES, ROOT, Change, Instance, StackSet, compare, losses
from plan import INLINE, PARTITIONS, Plan, Stack, Upload
from speech import end, joined, quoted, tell

# A change set that nobody executed leaves a stack with nothing in it.
NEW = "REVIEW_IN_PROGRESS"
# A stack in one of these can be updated.
SETTLED = """
    CREATE_COMPLETE IMPORT_COMPLETE IMPORT_ROLLBACK_COMPLETE UPDATE_COMPLETE
    UPDATE_ROLLBACK_COMPLETE
""".split()
# Asks which account the credentials belong to.
IDENTITY = ["sts", "get-caller-identity", "--query", "Account", "--output", "text"]
# An operation of StackSets in one of these goes on, and is looked at again after so many seconds.
GOES_ON = ["QUEUED", "RUNNING", "STOPPING"]
PATIENCE = 5

# Selects the IDs of active accounts. `Status` is what accounts had before they had a `State`.
ACTIVE = "Accounts[?(State || Status) == 'ACTIVE'].Id"


class Unreadable(Exception):
    """AWS could not be read. This ends everything but a dry run."""


class Runner:
    """Runs commands, or with `dry_run` prints them and runs none.

    A command that fails ends the program. Everything before it stays done, and is found done when the
    program is run again. A dry run looks at what there is, where it can.
    """

    def __init__(self, plan: Plan, *, command: pathlib.Path, dry_run: bool) -> None:
        self.plan, self.org_backup, self.dry_run = plan, command, dry_run
        # The ID of the root, once it was asked for.
        self.root = ""
        # The active accounts below each unit.
        self.accounts: dict[str, set[str]] = {}
        # Why what there is cannot be looked at, in a dry run.
        self.unreadable = ""

    def deploy(self) -> None:
        self.note()
        self.identify()
        self.look_at_members()
        self.upload()
        for stack in self.plan.stacks:
            self.deploy_stack(stack)
            for it in stack.stack_sets:
                self.roll_out(stack, it)
        self.examine()

    def examine(self) -> None:
        """Says what the organization lacks for what was deployed to work."""
        self.say("`org-backup doctor` now says what the organization lacks.")
        if self.dry_run:
            return
        if not self.org_backup.is_file():
            text = f"The command is not at {self.org_backup}"
            self.say(f"{text}; run it as docs/plan-and-doctor.md says.")
            return
        first = self.plan.stacks[0]
        outputs = (self.describe(first, self.output) or {}).get("Outputs", [])
        bucket = [it["OutputValue"] for it in outputs if it["OutputKey"] == "StateBucketName"]
        words = [str(self.org_backup), "doctor", "--region", first.region]
        words += profile_of(self.plan.profiles.get(first.account))
        words += ["--state-bucket", *bucket] if bucket else []
        # What it finds is no failure of the deployment, whose stacks are as they should be.
        subprocess.run(words, check=False)

    def note(self) -> None:
        """Says what the deployment leaves out, and what it needs and does not make."""
        for note in self.plan.notes:
            self.say(note)

    def undeploy(self) -> None:
        self.identify()
        for stack in self.plan.deleted:
            for it in stack.stack_sets:
                self.take_back(stack, it)
            self.delete_stack(stack)
        self.say("What that does:")
        for stack in self.plan.deleted:
            self.say(f"- {stack.name} in {stack.region}: {stack.template.leaves}")
        for stack in self.plan.stacks:
            if stack.stays:
                self.say(f"- {stack.name} in {stack.region} stays, with vaults, keys and roles.")
        self.say("Backups go on as before, unless an OnDelete in the file said otherwise.")
        self.say("The archives stay in their buckets.")

    def undeploy_everything(self, role: str, *, confirmed: bool) -> None:
        """Deletes what stacks leave as well, after it said what is lost and what AWS will refuse."""
        self.identify()
        everything = Everything(self, role)
        findings = everything.look()
        stacks = [*self.plan.deleted, *[it for it in reversed(self.plan.stacks) if it.stays]]
        self.say("This deletes every stack and everything that stacks leave:")
        for it in [*[f"- the stack {it.name} in {it.region}" for it in stacks], *findings.lines()]:
            self.say(it)
        self.say("Resources that were backed up stay. What is deleted cannot be brought back.")
        if self.dry_run:
            return
        if not confirmed:
            end("add --yes to do it; nothing was changed")
        # From here on nothing makes backups, and nothing puts anything back.
        for stack in self.plan.deleted:
            self.undeploy_stack(everything, stack)
            if stack.template.name == "members":
                everything.delete_policies()
        everything.delete_policies()
        for stack in stacks:
            if stack.stays:
                self.undeploy_stack(everything, stack)
        everything.delete_backups(findings)
        kept = [it for it in findings.vaults if it.kept]
        self.say("Nothing is left that costs anything." if not kept else "What is left, and paid for:")
        for it in kept:
            self.say(f"- {it.backups} backups in the vault {it.place}: {it.kept}")
        self.say("Policy types, trusted access and settings stay on, and cost nothing.")
        self.say("The archives stay in their buckets.")

    def undeploy_stack(self, everything: Everything, stack: Stack) -> None:
        for it in stack.stack_sets:
            self.take_back(stack, it)
        kept = everything.kept_by(stack)
        self.delete_stack(stack)
        everything.delete_kept(stack, kept)

    def partition(self, at: Stack) -> str:
        area = at.region.rsplit("-", 2)[0]
        return next(name for name, it in PARTITIONS.items() if area in it["areas"])

    def identify(self) -> None:
        """Makes sure that nothing is done in an account or organization that is not meant."""
        accounts = {it.account: it for it in reversed(self.plan.stacks)}
        for account, stack in sorted(accounts.items()):
            self.say(f"The credentials have to be those of {account}.")
            found = self.ask(self.command(stack, *IDENTITY))
            if found not in [None, account]:
                end(f"these are credentials of {found}, not of {account}; nothing was changed")
        self.say(f"They have to manage the organization {self.plan.organization}.")
        query = "Organization.[Id, MasterAccountId]"
        words = ["organizations", "describe-organization", "--query", query, "--output", "json"]
        answer = self.ask(self.command(accounts[self.plan.management], *words))
        meant = [self.plan.organization, self.plan.management]
        if answer is not None and json.loads(answer) != meant:
            text = "this is organization {} managed by {}, not {} by {}; nothing was changed"
            end(text.format(*json.loads(answer), *meant))

    def upload(self) -> None:
        """Makes sure that the buckets have what was built, and nothing else under its names.

        Whoever can write into them could have put something there before. So what is there already is
        compared by S3's checksum of it, and the buckets have to be those of the account. They could also
        put something there afterwards, so stacks take the version that was compared, if there is one.
        """
        self.say("What is in the buckets already, and is what was built, is not uploaded again.")
        if self.dry_run:
            self.say("Stacks take the version of each object, which is known then.")
        without_versions = set()
        for it in self.plan.uploads:
            place = ["--bucket", it.bucket, "--key", it.key, "--expected-bucket-owner", it.account]
            answer = ["--query", "[ChecksumSHA256, VersionId]", "--output", "json"]
            words = [*place, "--checksum-mode", "ENABLED", *answer]
            found = self.ask(self.command(it, "s3api", "head-object", *words), absent="(404)")
            if found is None:
                words = [*place, "--body", str(it.source), "--checksum-algorithm", "SHA256", *answer]
                found = self.change_and_ask(self.command(it, "s3api", "put-object", *words))
            if found is None:
                continue
            checksum, version = json.loads(found)
            if checksum != it.checksum:
                at = f"s3://{it.bucket}/{it.key} is not {it.source.name} of this release"
                why = "S3 has no SHA-256 of it" if checksum is None else "its SHA-256 differs"
                help = "Find out who wrote it, delete it, and run the same again."
                end(f"{at}: {why}. {help}", "No stack was changed.")
            if version in UNKEPT:
                without_versions.add(it.bucket)
            else:
                it.pin(version)
        for bucket in sorted(without_versions):
            at = f"s3://{bucket} keeps no versions"
            why = "so what somebody writes over an artifact before CloudFormation reads it is deployed"
            self.say(f"{at}, {why}. Turn its versioning on.")

    # Member stacks.

    def look_at_members(self) -> None:
        """Says what becomes of member stacks, and ends before anything is changed if one would be lost."""
        try:
            if self.dry_run:
                self.make_sure_of_the_account()
            for stack in self.plan.stacks:
                if stack.stack_sets:
                    self.refuse_losses(stack)
                for it in stack.stack_sets:
                    for line in self.change(stack, it).lines:
                        self.say(line)
        except Unreadable as error:
            self.unreadable = str(error)
            self.say(f"What becomes of member stacks is not known: {error}")

    def make_sure_of_the_account(self) -> None:
        at = self.plan.stacks[0]
        found = self.output(self.command(at, *IDENTITY))
        if found != at.account:
            raise Unreadable(f"these are credentials of {found}, not of {at.account}")

    def refuse_losses(self, stack: Stack) -> None:
        found = self.describe(stack, self.output)
        if not found:
            self.refuse_another_region(stack)
            self.refuse_names_of_another(stack)
            return
        before = parameters_of(found)
        template = self.output(self.command(stack, "cloudformation", *body_of(stack)))
        reasons = losses(template or "", before, stack.parameters, stack.region)
        if reasons:
            places = [f"{it.name}: {self.count(stack, it)}" for it in stack.stack_sets]
            at = f"{stack.name} in {stack.region} cannot be changed without losing something"
            said = [f"- {it}." for it in reasons]
            end(f"{at}:", *said, "It has", *[f"- {it}" for it in places], UNCHANGED)

    def refuse_another_region(self, stack: Stack) -> None:
        """Roles belong to the Region of the stacks, so in another one they would be in the way."""
        others = [it for own in stack.stack_sets for it in own.regions if it != stack.region]
        for region in dict.fromkeys(others):
            if self.describe(dataclasses.replace(stack, region=region), self.output):
                text = f"{stack.name} is deployed in {region}, and member stacks belong to it. Leave "
                end(f"{text}Region as it was.", UNCHANGED)

    def refuse_names_of_another(self, stack: Stack) -> None:
        """Roles stay when their stack is deleted, and tell of a roll-out that was or is elsewhere."""
        for name in ROLES if stack.parameters.get("ManagementAccount") == "true" else []:
            words = ["get-role", "--role-name", stack.parameters[name], "--query", "Role.Arn"]
            if self.output(self.command(stack, "iam", *words), absent="NoSuchEntity"):
                role = stack.parameters[name]
                at = f"{stack.name} is not deployed in {stack.region}, and the management account has the"
                why = "If another roll-out made it, a stack of this one would meet its names in every account"
                help = "leave StackName and Region as they were, or give vaults and roles other names"
                end(f"{at} role `{role}` already. {why}: {help}.", UNCHANGED)

    def count(self, stack: Stack, stack_set: StackSet) -> str:
        instances = self.instances(stack, stack_set)
        regions = ", ".join(sorted({it.region for it in instances}))
        accounts = ", ".join(sorted({it.account for it in instances}))
        return f"stacks in {regions} of the accounts {accounts}" if instances else "no stacks"

    def change(self, stack: Stack, stack_set: StackSet) -> Change:
        found = [self.below(stack, self.unit(stack, it)) for it in stack_set.units]
        # StackSets never reach the account that they are managed from.
        accounts = set().union(*found) - {self.plan.management}
        also = set(stack_set.also) - {self.plan.management}
        if also:
            also &= self.below(stack, self.unit(stack, ROOT))
            for it in sorted(set(stack_set.also) - also):
                self.say(f"{stack_set.name}: {it} is no active member of the organization and gets no stack")
        return compare(stack_set, accounts, self.instances(stack, stack_set), also)

    def unit(self, stack: Stack, unit: str) -> str:
        if unit != ROOT:
            return unit
        if not self.root:
            words = ["list-roots", "--query", "Roots[0].Id", "--output", "text"]
            self.root = self.output(self.command(stack, "organizations", *words)) or unit
        return self.root

    def below(self, stack: Stack, unit: str) -> set[str]:
        """The active accounts below a unit."""
        if unit not in self.accounts:
            of = ["--parent-id", unit, "--output", "json", "--query"]
            words = ["list-accounts-for-parent", *of, ACTIVE]
            accounts = set(json.loads(self.output(self.command(stack, "organizations", *words)) or "[]"))
            words = ["list-organizational-units-for-parent", *of, "OrganizationalUnits[].Id"]
            units = json.loads(self.output(self.command(stack, "organizations", *words)) or "[]")
            self.accounts[unit] = accounts.union(*(self.below(stack, it) for it in units))
        return self.accounts[unit]

    def instances(self, stack: Stack, stack_set: StackSet) -> list[Instance]:
        query = "Summaries[].[Account, Region, OrganizationalUnitId, Status]"
        words = ["list-stack-instances", "--stack-set-name", stack_set.name]
        words += ["--query", query, "--output", "json"]
        command = self.command(stack, "cloudformation", *words)
        found = json.loads(self.output(command, absent="StackSetNotFound") or "[]")
        return [Instance(*place, is_current=status == "CURRENT") for *place, status in found]

    def roll_out(self, stack: Stack, stack_set: StackSet) -> None:
        """Makes the member stacks that are missing, and tries again what failed before."""
        if self.unreadable:
            if stack_set.units:
                self.operate(stack, "create-stack-instances", stack_set.request(stack_set.units))
            if stack_set.also:
                request = stack_set.request_for_accounts(ROOT, stack_set.also)
                self.operate(stack, "create-stack-instances", request)
            return
        change = self.change(stack, stack_set)
        for request in change.retries():
            self.operate(stack, "update-stack-instances", request)
        if any(account not in change.single for account, _ in change.new):
            units = [self.unit(stack, it) for it in stack_set.units]
            self.operate(stack, "create-stack-instances", stack_set.request(units))
        if change.single:
            request = stack_set.request_for_accounts(self.unit(stack, ROOT), change.single)
            self.operate(stack, "create-stack-instances", request)

    def take_back(self, stack: Stack, stack_set: StackSet) -> None:
        """Deletes the stacks of a StackSet that hold nothing, without which it could not be deleted."""
        if self.dry_run:
            self.say(f"The stacks of {stack_set.name} are deleted if there are any.")
            units, regions = stack_set.units, stack_set.regions
        else:
            instances = self.instances(stack, stack_set)
            units = sorted({it.unit for it in instances})
            regions = sorted({it.region for it in instances})
        if units:
            request = stack_set.operation({"OrganizationalUnitIds": units}, regions)
            self.operate(stack, "delete-stack-instances", request | {"RetainStacks": False})

    def operate(self, stack: Stack, operation: str, request: dict) -> None:
        """Runs an operation of StackSets to its end, which fails when too many accounts do."""
        words = [operation, "--cli-input-json", json.dumps(request)]
        words += ["--query", "OperationId", "--output", "text"]
        command = self.command(stack, "cloudformation", *words)
        if self.dry_run:
            tell(joined(command))
            return
        name = request["StackSetName"]
        self.say(f"Waiting for {operation} of {name}.")
        of = ["--stack-set-name", name, "--operation-id", self.output(command) or ""]
        words = ["describe-stack-set-operation", *of, "--output", "text"]
        words += ["--query", "StackSetOperation.Status"]
        while (status := self.output(self.command(stack, "cloudformation", *words))) in GOES_ON:
            time.sleep(PATIENCE)
        words = ["list-stack-set-operation-results", *of, "--output", "json"]
        words += ["--query", "Summaries[?Status == 'FAILED'].[Account, Region, StatusReason]"]
        failed = json.loads(self.output(self.command(stack, "cloudformation", *words)) or "[]")
        for account, region, reason in failed:
            self.say(f"- {account} in {region}: {reason}")
        if status != "SUCCEEDED":
            text = f"failed: {operation} of {name} is {status}; {len(failed)} stacks failed"
            end(f"{text}, and no other was changed for it", AGAIN)

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
                end(self.stuck(stack, status))
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
            # The AWS CLI would take an object that is there for what was to be uploaded, by its name.
            words += ["--force-upload"]
        words += ["--capabilities", "CAPABILITY_NAMED_IAM", "--no-fail-on-empty-changeset"]
        if stack.tags:
            words += ["--tags", *[f"{key}={value}" for key, value in stack.tags.items()]]
        words += ["--parameter-overrides"]
        words += [f"{key}={value}" for key, value in stack.parameters.items()]
        return self.command(stack, "cloudformation", "deploy", *words)

    def delete_stack(self, stack: Stack) -> None:
        if self.find(stack, "deleted if it is there") or self.dry_run:
            self.say(f"{stack.name} in {stack.region} is deleted.")
            self.delete(stack)
        else:
            self.say(f"{stack.name} in {stack.region} is not there.")

    def delete(self, stack: Stack, nested: str = "") -> None:
        """Deletes a stack, or one that was nested in it."""
        name = ["--stack-name", nested or stack.name]
        self.run(self.command(stack, "cloudformation", "delete-stack", *name))
        self.run(self.command(stack, "cloudformation", "wait", "stack-delete-complete", *name))

    def find(self, stack: Stack, what: str) -> dict | None:
        """The stack, once nobody works on it any more: an earlier run may have been interrupted."""
        if self.dry_run:
            self.say(f"{stack.name} in {stack.region} is {what}.")
        while (found := self.describe(stack, self.ask)) and is_busy(found["StackStatus"]):
            status = found["StackStatus"]
            self.say(f"{stack.name} in {stack.region} is {status}, which is waited for.")
            words = ["cloudformation", "wait", waiter(status), "--stack-name", stack.name]
            # Whatever comes of it is found by looking again.
            subprocess.run(self.command(stack, *words), check=False, stderr=subprocess.DEVNULL)
        return found

    def describe(self, stack: Stack, read: Callable[..., str | None]) -> dict | None:
        """Returns the stack, read by `ask` or by `output`, or none if it does not exist."""
        words = ["describe-stacks", "--stack-name", stack.name, "--output", "json"]
        answer = read(self.command(stack, "cloudformation", *words), absent="does not exist")
        return json.loads(answer)["Stacks"][0] if answer else None

    def is_as_it_should_be(self, stack: Stack, found: dict) -> bool:
        if parameters_of(found) != {key: as_kept(it) for key, it in stack.parameters.items()}:
            return False
        if {it["Key"]: it["Value"] for it in found.get("Tags", [])} != stack.tags:
            return False
        body = self.ask(self.command(stack, "cloudformation", *body_of(stack))) or ""
        return as_kept(body).strip() == as_kept(stack.template.text).strip()

    def stuck(self, stack: Stack, status: str) -> str:
        at = f"{stack.name} in {stack.region} is {status}; its events in CloudFormation say why"
        words = ["cloudformation", "delete-stack", "--stack-name", stack.name]
        if status == "UPDATE_ROLLBACK_FAILED":
            words[1] = "continue-update-rollback"
        command = joined(self.command(stack, *words))
        return f"{at}. Put that right, run `{command}`, and then the same again."

    # Commands.

    def command(self, at: Stack | Upload, *words: str) -> list[str]:
        profile = self.plan.profiles.get(at.account)
        return ["aws", *words[:2], "--region", at.region, *profile_of(profile), *words[2:]]

    def run(self, command: list[str], session: dict[str, str] | None = None) -> None:
        """Runs what changes something, with the credentials of a session if there is one."""
        if self.dry_run:
            tell(joined(command))
        elif subprocess.run(command, check=False, env=os.environ | (session or {})).returncode:
            end(f"failed: {joined(command)}", AGAIN)

    def change_and_ask(self, command: list[str]) -> str | None:
        """Runs what changes something, and answers."""
        if self.dry_run:
            tell(joined(command))
            return None
        return self.output(command)

    def ask(self, command: list[str], absent: str = "") -> str | None:
        """Runs what only reads. There is no answer where what it asks for is not there."""
        if self.dry_run:
            tell(joined(command))
            return None
        return self.output(command, absent)

    def output(
        self, command: list[str], absent: str = "", session: dict[str, str] | None = None
    ) -> str | None:
        """What a command prints, also in a dry run, which does without what it may not look at."""
        try:
            environment = os.environ | (session or {})
            done = subprocess.run(
                command, check=False, capture_output=True, text=True, env=environment
            )
        except FileNotFoundError:
            if not self.dry_run:
                raise
            raise Unreadable("the AWS CLI is not installed") from None
        if done.returncode == 0:
            return done.stdout.strip()
        if absent and absent in done.stderr:
            return None
        if self.dry_run:
            raise Unreadable(done.stderr.strip())
        end(f"failed: {joined(command)}", *quoted(done.stderr), AGAIN)

    def say(self, text: str) -> None:
        tell(f"# {text}" if self.dry_run else text)


# What S3 says instead of a version where the bucket keeps none, and where it no longer does.
UNKEPT = [None, "null"]

UNCHANGED = "Nothing was changed."
AGAIN = "Put right what it says and run the same again. What is done stays done."


def profile_of(name: str | None) -> list[str]:
    return ["--profile", name] if name else []


def parameters_of(stack: dict) -> dict[str, str]:
    """Returns the parameters of a stack, as CloudFormation describes them."""
    return {it["ParameterKey"]: it["ParameterValue"] for it in stack.get("Parameters", [])}


def as_kept(text: str) -> str:
    """A template or a parameter as CloudFormation tells it: with question marks for what is not ASCII."""
    return text.encode("ascii", "replace").decode()


def body_of(stack: Stack) -> list[str]:
    """Returns the words of the AWS CLI that ask for the template of a stack."""
    words = ["get-template", "--stack-name", stack.name]
    return [*words, "--query", "TemplateBody", "--output", "text"]


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
