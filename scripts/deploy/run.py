"""Carries a plan out: reads AWS, prints the changes, asks, and makes them."""

import dataclasses
import json
import pathlib
import subprocess
import time
from typing import NoReturn

from changes import FAILED, NEW, UNCHANGED, Changes, MemberChange, Seen, StackChange, change_of
from commands import (
    AGAIN,
    NO_ENTITY,
    NO_OBJECT,
    NO_STACK_SET,
    Commands,
    Offline,
    Unreadable,
    parameters_of,
    pauses,
    profile_of,
)
from everything import OURS, Everything, Findings
from members import ROLES, ROOT, Change, Instance, StackSet, compare, losses
from parameters import ALWAYS_ENABLED
from plan import INLINE, STAYING, Plan, Stack, Upload
from speech import UNREAD, ask, end, joined, leave, quoted

# A stack in one of these can be updated.
SETTLED = """
    CREATE_COMPLETE IMPORT_COMPLETE IMPORT_ROLLBACK_COMPLETE UPDATE_COMPLETE
    UPDATE_ROLLBACK_COMPLETE
""".split()
# Asks which account the credentials belong to.
IDENTITY = ["sts", "get-caller-identity", "--query", "Account", "--output", "text"]
# The states of a running operation of StackSets.
GOES_ON = ["QUEUED", "RUNNING", "STOPPING"]
# The seconds between two looks at the events of a stack, and the most events of one look.
BEAT = 2
MOST_EVENTS = 200

# Selects the IDs of active accounts. `Status` is the older name of `State`.
ACTIVE = "Accounts[?(State || Status) == 'ACTIVE'].Id"

# The answer of S3 about an object.
ANSWER = ["--query", "[ChecksumSHA256, VersionId]", "--output", "json"]

# The answers of S3 instead of a version, if the bucket never had versioning or has it suspended.
UNKEPT = [None, "null"]

# The words that confirm a deployment.
YES, IRREVERSIBLE = "yes", "irreversible"

NOTHING = "Nothing was changed."


class Runner(Commands):
    """Deploys and undeploys. Each run skips the steps that an earlier one completed.

    A dry run reads as much as it may, prints the changes, and makes none.
    """

    def __init__(self, plan: Plan, *, command: pathlib.Path, dry_run: bool) -> None:
        super().__init__(plan, dry_run=dry_run)
        self.org_backup = command
        # The ID of the root, once it was asked for.
        self.root = ""
        # The active accounts below each unit.
        self.accounts: dict[str, set[str]] = {}
        # The existing stacks, by account, Region and name.
        self.seen: dict[tuple[str, str, str], Seen | None] = {}
        # The objects that are in their bucket and match the build.
        self.uploaded: set[tuple[str, str]] = set()
        # The buckets that keep no versions.
        self.unversioned: set[str] = set()
        # The code of a dry run.
        self.code = 0

    def deploy(self, *, confirmed: bool) -> None:
        self.note()
        changes = self.look()
        irreversible = [f"- {it}." for it in changes.irreversible]
        parts = [changes.lines, ["Nobody can undo:", *irreversible], [changes.summary]]
        for lines in parts if irreversible else [changes.lines, [changes.summary]]:
            for it in ["", *lines]:
                self.say(it)
        if self.dry_run:
            leave(self.code)
        if changes.is_empty:
            self.say("Everything is as the file says.")
        elif not confirmed:
            self.confirm(IRREVERSIBLE if irreversible else YES)
        self.upload()
        for stack in self.plan.stacks:
            self.deploy_stack(stack)
            for it in stack.stack_sets:
                self.roll_out(stack, it)
        self.examine()

    def confirm(self, word: str) -> None:
        """Asks for a word, and ends the program without it."""
        answer = ask(f"Type {word} to deploy this: ")
        if answer is None:
            end("There is no terminal to confirm this at. Confirm it with YES=1, or --yes.", NOTHING)
        if answer != word:
            end(NOTHING)

    def examine(self) -> None:
        """Reports what the organization lacks for the deployment to work, and prints the next command."""
        first = self.plan.stacks[0]
        outputs = (self.describe(first) or {}).get("Outputs", [])
        bucket = [it["OutputValue"] for it in outputs if it["OutputKey"] == "StateBucketName"]
        options = ["--region", first.region, *profile_of(self.plan.profiles.get(first.account))]
        options += ["--state-bucket", *bucket] if bucket else []
        name = "org-backup"
        if self.org_backup.is_file():
            name = str(self.org_backup)
            # Its problems do not make the deployment fail, whose stacks are complete.
            subprocess.run([name, "doctor", *options], check=False)
        else:
            text = f"`org-backup doctor` says what the organization lacks. The command is not at {self.org_backup}"
            self.say(f"{text}; run it as docs/plan-and-doctor.md says.")
        for it in bucket:
            self.say(f"State bucket: {it}")
        self.say(f"Next: {joined([name, 'report', *options])}")

    def note(self) -> None:
        """Prints the parts that the deployment leaves out, and those that it needs and does not create."""
        for note in self.plan.notes:
            self.say(note)

    # Undeploying.

    def undeploy(self) -> None:
        if self.dry_run:
            self.foretell()
            return
        self.identify(every=True)
        left = self.find_left(self.places())
        self.refuse_importers(left)
        for stack in self.plan.deleted:
            for it in stack.stack_sets:
                self.take_back(stack, it)
            self.delete_stack(stack)
        self.say("The effects:")
        self.say_what_stays(left)

    def refuse_importers(self, left: list[Stack]) -> None:
        """Ends if stacks of an earlier file need a stack that would be deleted, which CloudFormation refuses."""
        importers = [f"- {it.name} in {it.region}" for it in left if "Fn::ImportValue" in it.template.text]
        if importers:
            text = "The file does not ask for these any more, and CloudFormation keeps the stacks that they import from:"
            end(text, *importers, "Delete these by hand, or put them back into the file, and run the same again.", NOTHING)

    def foretell(self) -> None:
        """Prints the effects that undeploying would have."""
        left: list[Stack] = []
        try:
            self.identify(every=True)
            left = self.find_left(self.places())
            self.refuse_importers(left)
            there = [it for it in self.plan.deleted if self.describe(it)]
            counts = {own.name: len(self.instances(it, own)) for it in there for own in it.stack_sets}
        except Unreadable as error:
            self.miss(error)
            self.say(f"AWS was not read: {error}")
            there, counts = self.plan.deleted, {}
        for stack in there:
            for name, count in counts.items():
                if count and name in [it.name for it in stack.stack_sets]:
                    self.say(f"{name}: {count} member stacks are deleted")
            self.say(f"{stack.name} in {stack.region}: deleted")
        if not there:
            self.say("No stack is deleted.")
        self.say("The effects would be:")
        self.say_what_stays(left)
        leave(self.code)

    def miss(self, error: Unreadable) -> None:
        """Notes that AWS refused to answer. Without credentials, nobody asked it."""
        self.code = 0 if isinstance(error, Offline) else UNREAD

    def say_what_stays(self, left: list[Stack]) -> None:
        for stack in self.plan.deleted:
            self.say(f"- {stack.name} in {stack.region}: {stack.template.leaves}")
        for stack in [*self.plan.stacks, *left]:
            if stack.stays:
                self.say(f"- {stack.name} in {stack.region} stays, with vaults, keys and roles.")
        for stack in left:
            if not stack.stays:
                self.say(f"- {stack.name} in {stack.region} stays, and is not in the file any more; delete it by hand.")
        self.say("Backups continue as before, unless an OnDelete in the file said otherwise.")
        self.say("The archives stay in their buckets.")

    def undeploy_everything(self, role: str, *, confirmed: bool) -> None:
        """Also deletes the resources that stacks leave, after it printed the losses and AWS's refusals."""
        try:
            self.identify(every=True)
            everything = Everything(self, role)
            findings = everything.look()
        except Unreadable as error:
            text = f"AWS was not read, so the losses are not known: {error}"
            end(text, NOTHING, code=UNREAD)
        self.say("This deletes every stack and everything that stacks leave:")
        for it in self.plan.everything(everything.left):
            why = ", which the file does not ask for any more" if it in everything.left else ""
            self.say(f"- the stack {it.name} in {it.region}{why}")
        for it in everything.gone:
            self.say(f"- what the deleted stack {it.name} in {it.region} left, which an earlier file asked for")
        for it in findings.lines():
            self.say(it)
        self.say("Resources that were backed up stay. Deleted resources cannot be restored.")
        if self.dry_run:
            return
        if not confirmed:
            end("add CONFIRM=yes (make) or --yes; nothing was changed")
        stacks = self.plan.everything([*everything.left, *everything.gone])
        # These stacks create backups and put settings back, so they are deleted first.
        for stack in stacks:
            if not stack.stays:
                self.undeploy_stack(everything, findings, stack)
                if stack.template.name == "members":
                    everything.delete_policies()
        everything.delete_policies()
        # Only the roll-out knows these places, and the next run would not find them without it.
        everything.delete_backups(findings, strays=True)
        for stack in stacks:
            if stack.stays:
                self.undeploy_stack(everything, findings, stack)
        everything.delete_backups(findings, strays=False)
        left = [it.remainder for it in findings.vaults if it.stays]
        regions = sorted({region for _, region in [*everything.places, *findings.places]})
        looked = f"{', '.join(regions)}, the Regions of the file and of member stacks"
        nothing = f"Nothing is left that costs anything in {looked}."
        self.say("These resources remain and are still charged:" if left else nothing)
        for it in left:
            self.say(f"- {it}")
        self.say("Policy types, trusted access and settings stay on, and cost nothing.")
        self.say("The archives stay in their buckets.")

    def undeploy_stack(self, everything: Everything, findings: Findings, stack: Stack) -> None:
        for it in stack.stack_sets:
            self.take_back(stack, it)
        self.delete_stack(stack)
        everything.delete_left(stack, findings)

    # Looking.

    def look(self) -> Changes:
        """Reads what exists, and returns the changes. It ends if a change would lose something."""
        try:
            self.identify()
            for it in self.plan.uploads:
                self.find_upload(it)
            for stack in self.plan.stacks:
                self.seen[key_of(stack)] = self.see(stack)
            for stack in self.plan.stacks:
                if stack.stack_sets:
                    self.refuse_losses(stack)
            stacks = [self.change_of(it) for it in self.plan.stacks]
            members = [self.member_change(it, own) for it in stacks for own in it.stack.stack_sets]
            left = self.stacks_left()
        except Unreadable as error:
            self.miss(error)
            self.seen.clear()
            stacks = [self.change_of(it) for it in self.plan.stacks]
            return Changes(self.plan, stacks, uploads=len(self.plan.uploads), unread=str(error))
        missing = len(self.plan.uploads) - len(self.uploaded)
        return Changes(self.plan, stacks, members, missing, left)

    def stacks_left(self) -> list[str]:
        """Returns the stacks in the place of the bootstrap stack that the file no longer asks for."""
        first, query = self.plan.stacks[0], "Stacks[].[StackName, Description]"
        words = ["describe-stacks", "--query", query, "--output", "json"]
        found = json.loads(self.output(self.command(first, "cloudformation", *words)) or "[]")
        # A stack of somebody else may have such a name.
        ours = [name for name, description in found if (description or "").startswith(OURS)]
        return [f"{name} in {first.region}" for name in sorted(ours) if self.plan.is_left(name)]

    def places(self) -> list[tuple[str, str]]:
        """Returns the accounts and Regions in which stacks of this file or an earlier one can be."""
        management, stacks = self.plan.management, self.plan.stacks
        rolled_out = {it.region for stack in stacks for own in stack.stack_sets for it in self.instances(stack, own)}
        own = {(it.account, it.region) for it in stacks} | {(management, it) for it in rolled_out}
        # Other Regions may not be enabled in every account.
        regions = (self.plan.regions | rolled_out) & ALWAYS_ENABLED
        return sorted(own | {(it, region) for it in [management, *self.plan.profiles] for region in regions})

    def find_left(self, places: list[tuple[str, str]], *, gone: bool = False) -> list[Stack]:
        """Returns the stacks in these accounts and Regions that an earlier file asked for and this one does not:
        those that exist, or those that CloudFormation knows as deleted."""
        first, asked = self.plan.stacks[0], {key_of(it) for it in self.plan.stacks}
        words = ["describe-stacks", "--query", "Stacks[].[StackName, Description]"]
        if gone:
            query = "StackSummaries[].[StackName, TemplateDescription, StackId]"
            words = ["list-stacks", "--stack-status-filter", "DELETE_COMPLETE", "--query", query]
        left: dict[tuple[str, str, str], Stack] = {}
        for account, region in places:
            at = dataclasses.replace(first, account=account, region=region)
            command = self.command(at, "cloudformation", *words, "--output", "json")
            for name, description, *_ in json.loads(self.output(command) or "[]"):
                template = self.plan.template_of(name)
                # A stack of somebody else may have such a name.
                if not template or not (description or "").startswith(OURS):
                    continue
                stack = Stack(name, template, account, region, "", {}, stays=template.name in STAYING)
                if template.name == "monitoring-rollout":
                    stack.stack_sets = [StackSet(name, [], [])]
                is_policy = template.name == "backup-policy"
                # A deleted stack of a policy leaves no resources.
                if key_of(stack) not in asked and not (is_policy and (gone or not self.is_ours(stack))):
                    left[key_of(stack)] = stack
        return list(left.values())

    def is_ours(self, stack: Stack) -> bool | None:
        """Returns `True` if a stack of a policy belongs to this deployment and not to another whose name begins alike.

        Returns `None` if CloudFormation does not know it.
        """
        found = self.describe(stack)
        first = self.plan.stacks[0].name
        names = [first, f"{first}-delegated-policies"]
        return parameters_of(found).get("BootstrapStackName") in names if found else None

    def identify(self, *, every: bool = False) -> None:
        """Makes sure that the credentials belong to the accounts and the organization of the file.

        These are the accounts of its stacks, or every one that has a profile.
        """
        accounts = {it.account: it for it in reversed(self.plan.stacks)}
        for it in self.plan.profiles if every else []:
            accounts.setdefault(it, dataclasses.replace(self.plan.stacks[0], account=it))
        for account, stack in sorted(accounts.items()):
            if not self.dry_run:
                self.say(f"The credentials have to be those of {account}.")
            found = self.output(self.command(stack, *IDENTITY))
            if found != account:
                self.refuse(f"these are credentials of {found}, not of {account}")
        if not self.dry_run:
            self.say(f"They have to manage the organization {self.plan.organization}.")
        query = "Organization.[Id, MasterAccountId]"
        words = ["organizations", "describe-organization", "--query", query, "--output", "json"]
        answer = json.loads(self.output(self.command(accounts[self.plan.management], *words)) or "[]")
        meant = [self.plan.organization, self.plan.management]
        if answer != meant:
            found, manager = [*answer, "none", "nobody"][:2]
            text = f"this is organization {found} managed by {manager}, not {meant[0]} by {meant[1]}"
            self.refuse(text)

    def refuse(self, text: str) -> None:
        if self.dry_run:
            raise Unreadable(text)
        end(f"{text}; nothing was changed")

    def see(self, stack: Stack) -> Seen | None:
        """Returns a stack, once no operation runs on it: an earlier run may have been interrupted.

        A dry run does not wait.
        """
        found = self.describe(stack) if self.dry_run else self.settle(stack)
        if not found:
            return None
        status = found["StackStatus"]
        if status not in [NEW, FAILED, *SETTLED] and not status.endswith("_IN_PROGRESS"):
            end(self.stuck(stack, status))
        # An empty stack has no template.
        body = "" if status == NEW else self.template_of(stack)
        tags = {it["Key"]: it["Value"] for it in found.get("Tags", [])}
        return Seen(status, parameters_of(found), tags, body)

    def settle(self, stack: Stack) -> dict | None:
        while (found := self.describe(stack)) and is_busy(found["StackStatus"]):
            status = found["StackStatus"]
            self.say(f"{stack.name} in {stack.region} is {status}; waiting for it to end.")
            words = ["cloudformation", "wait", waiter(status), "--stack-name", stack.name]
            self.wait_for(self.command(stack, *words))
        return found

    def change_of(self, stack: Stack) -> StackChange:
        return change_of(stack, self.seen.get(key_of(stack)), is_built=self.plan.is_built)

    # Artifacts.

    def find_upload(self, it: Upload) -> bool:
        """Returns `True` if an object is in its bucket, and has the stacks take its version.

        Somebody else who can write into the bucket could have put something there before. So S3's checksum
        of it is compared, and the bucket has to be that of the account. They could also put something there
        afterwards, so stacks take the version that was compared, if there is one.
        """
        words = [*self.object(it), "--checksum-mode", "ENABLED", *ANSWER]
        found = self.output(self.command(it, "s3api", "head-object", *words), absent=NO_OBJECT)
        if found is None:
            return False
        self.pin(it, found)
        return True

    def pin(self, it: Upload, answer: str) -> None:
        checksum, version = json.loads(answer)
        if checksum != it.checksum:
            at = f"s3://{it.bucket}/{it.key} is not {it.source.name} of this release"
            why = "S3 has no SHA-256 of it" if checksum is None else "its SHA-256 differs"
            help = "Find out who wrote it, delete it, and run the command again."
            end(f"{at}: {why}. {help}", "No stack was changed.")
        if version in UNKEPT:
            self.unversioned.add(it.bucket)
        else:
            it.pin(version)
        self.uploaded.add((it.bucket, it.key))

    def object(self, it: Upload) -> list[str]:
        return ["--bucket", it.bucket, "--key", it.key, "--expected-bucket-owner", it.account]

    def upload(self) -> None:
        """Makes sure that the buckets have the built files, and no other objects under their names."""
        for it in self.plan.uploads:
            is_pinned = (it.bucket, it.key) in self.uploaded and it.bucket not in self.unversioned
            # Somebody may have written it since the last look.
            if is_pinned or self.find_upload(it):
                continue
            self.say(f"Uploading {it.source.name} to s3://{it.bucket}.")
            words = [*self.object(it), "--body", str(it.source), "--checksum-algorithm", "SHA256"]
            self.pin(it, self.output(self.command(it, "s3api", "put-object", *words, *ANSWER)) or "[]")
        for bucket in sorted(self.unversioned):
            at = f"s3://{bucket} keeps no versions"
            why = "so CloudFormation deploys an artifact that somebody overwrites before it is read"
            self.say(f"{at}, {why}. Turn its versioning on.")

    # Member stacks.

    def refuse_losses(self, stack: Stack) -> None:
        """Ends before anything is changed if a member stack would be lost."""
        found = self.seen[key_of(stack)]
        if not found:
            self.refuse_another_region(stack)
            self.refuse_names_of_another(stack)
            return
        reasons = losses(found.template, found.parameters, stack.parameters, stack.region)
        if reasons:
            places = [f"{it.name}: {self.count(stack, it)}" for it in stack.stack_sets]
            at = f"{stack.name} in {stack.region} cannot be changed without losing something"
            said = [f"- {it}." for it in reasons]
            end(f"{at}:", *said, "It has", *[f"- {it}" for it in places], NOTHING)

    def refuse_another_region(self, stack: Stack) -> None:
        """Ends if the stacks are in another Region. Its roles would conflict with those of this one."""
        others = [it for own in stack.stack_sets for it in own.regions if it != stack.region]
        for region in dict.fromkeys(others):
            if self.describe(dataclasses.replace(stack, region=region)):
                text = f"{stack.name} is deployed in {region}, and member stacks belong to it. Leave "
                end(f"{text}Region as it was.", NOTHING)

    def refuse_names_of_another(self, stack: Stack) -> None:
        """Ends if the roles exist. They stay when their stack is deleted, so another roll-out made them."""
        for name in ROLES if stack.parameters.get("ManagementAccount") == "true" else []:
            words = ["get-role", "--role-name", stack.parameters[name], "--query", "Role.Arn"]
            if self.output(self.command(stack, "iam", *words), absent=NO_ENTITY):
                role = stack.parameters[name]
                at = f"{stack.name} is not deployed in {stack.region}, and the management account"
                why = "If another roll-out made it, a stack of this one would conflict with its names in every account"
                help = "leave StackName and Region as they were, or give vaults and roles other names"
                end(f"{at} already has the role `{role}`. {why}: {help}.", NOTHING)

    def count(self, stack: Stack, stack_set: StackSet) -> str:
        instances = self.instances(stack, stack_set)
        regions = ", ".join(sorted({it.region for it in instances}))
        accounts = ", ".join(sorted({it.account for it in instances}))
        return f"stacks in {regions} of the accounts {accounts}" if instances else "no stacks"

    def change(self, stack: Stack, stack_set: StackSet) -> Change:
        found = [self.below(stack, self.unit(stack, it)) for it in stack_set.units]
        # StackSets never reach the management account.
        accounts = set().union(*found) - {self.plan.management}
        also = set(stack_set.also) - {self.plan.management}
        strangers: set[str] = set()
        if also:
            members = self.below(stack, self.unit(stack, ROOT))
            also, strangers = also & members, also - members
        change = compare(stack_set, accounts, self.instances(stack, stack_set), also)
        return dataclasses.replace(change, strangers=sorted(strangers))

    def member_change(self, of: StackChange, stack_set: StackSet) -> MemberChange:
        words = ["describe-stack-set", "--stack-set-name", stack_set.name, "--output", "json"]
        words += ["--query", "StackSet.[TemplateBody, Parameters]"]
        command = self.command(of.stack, "cloudformation", *words)
        found = self.output(command, absent=NO_STACK_SET)
        seen = None
        if found:
            template, parameters = json.loads(found)
            seen = (template or "", parameters_of({"Parameters": parameters or []}))
        return MemberChange(of, self.change(of.stack, stack_set), seen)

    def unit(self, stack: Stack, unit: str) -> str:
        if unit != ROOT:
            return unit
        if not self.root:
            words = ["list-roots", "--query", "Roots[0].Id", "--output", "text"]
            self.root = self.output(self.command(stack, "organizations", *words)) or unit
        return self.root

    def below(self, stack: Stack, unit: str) -> set[str]:
        """Returns the active accounts below a unit."""
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
        found = json.loads(self.output(command, absent=NO_STACK_SET) or "[]")
        return [Instance(*place, is_current=status == "CURRENT") for *place, status in found]

    def roll_out(self, stack: Stack, stack_set: StackSet) -> None:
        """Creates the missing member stacks, and retries the failed ones."""
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
        """Deletes the stacks of a StackSet, which hold no data. AWS refuses to delete a StackSet with stacks."""
        instances = self.instances(stack, stack_set)
        units = sorted({it.unit for it in instances})
        regions = sorted({it.region for it in instances})
        if units:
            request = stack_set.operation({"OrganizationalUnitIds": units}, regions)
            self.operate(stack, "delete-stack-instances", request | {"RetainStacks": False})

    def operate(self, stack: Stack, operation: str, request: dict) -> None:
        """Runs an operation of StackSets to its end. It fails if too many accounts fail."""
        words = [operation, "--cli-input-json", json.dumps(request)]
        words += ["--query", "OperationId", "--output", "text"]
        command = self.command(stack, "cloudformation", *words)
        name = request["StackSetName"]
        self.say(f"Waiting for {operation} of {name}.")
        of = ["--stack-set-name", name, "--operation-id", self.output(command) or ""]
        words = ["describe-stack-set-operation", *of, "--output", "text"]
        words += ["--query", "StackSetOperation.Status"]
        told, pause = "", pauses()
        while (status := self.output(self.command(stack, "cloudformation", *words))) in GOES_ON:
            results = self.results(stack, of)
            count = f"{sum(it[2] == 'SUCCEEDED' for it in results)} stacks are done"
            if failures := sum(it[2] == "FAILED" for it in results):
                count = f"{count} and {failures} failed"
            if count != told:
                told = count
                self.say(f"  {name}: {count}")
            time.sleep(next(pause))
        failed = [it for it in self.results(stack, of) if it[2] == "FAILED"]
        for account, region, _, reason in failed:
            self.say(f"- {account} in {region}: {reason}")
        if status != "SUCCEEDED":
            text = f"failed: {operation} of {name} is {status}; {len(failed)} stacks failed"
            end(f"{text}, and the others stay as they are", AGAIN)

    def results(self, stack: Stack, of: list[str]) -> list[list[str]]:
        """Returns the accounts and Regions of an operation, each with its status and the reason for it."""
        words = ["list-stack-set-operation-results", *of, "--output", "json"]
        words += ["--query", "Summaries[].[Account, Region, Status, StatusReason]"]
        return json.loads(self.output(self.command(stack, "cloudformation", *words)) or "[]")

    # Stacks.

    def deploy_stack(self, stack: Stack) -> None:
        # The versions of the uploaded objects are known by now.
        if self.change_of(stack).kind == UNCHANGED:
            return
        at, found = f"{stack.name} in {stack.region}", self.settle(stack)
        if found and found["StackStatus"] == FAILED:
            # A stack that could not be created can only be deleted.
            self.say(f"{at} could not be created last time. It is created again.")
            self.delete(stack)
        elif found and found["StackStatus"] not in [NEW, *SETTLED]:
            end(self.stuck(stack, found["StackStatus"]))
        self.say(f"Deploying {at}.")
        events = Events(self, stack, stack.name)
        if error := self.run_beside(self.deployment(stack), BEAT, events.tell):
            self.fail(f"{at} is not deployed", events, error)

    def deployment(self, stack: Stack) -> list[str]:
        words = ["--stack-name", stack.name, "--template-file", str(stack.template.path)]
        if len(stack.template.text.encode()) > INLINE:
            words += ["--s3-bucket", stack.bucket, "--s3-prefix", "org-backup/templates"]
            # Without this, the AWS CLI uses an existing object of the same name instead of an upload.
            words += ["--force-upload"]
        words += ["--capabilities", "CAPABILITY_NAMED_IAM", "--no-fail-on-empty-changeset"]
        if stack.tags:
            words += ["--tags", *[f"{key}={value}" for key, value in stack.tags.items()]]
        words += ["--parameter-overrides"]
        words += [f"{key}={value}" for key, value in stack.parameters.items()]
        return self.command(stack, "cloudformation", "deploy", *words)

    def delete_stack(self, stack: Stack) -> None:
        if self.settle(stack):
            self.say(f"Deleting {stack.name} in {stack.region}.")
            self.delete(stack)
        else:
            self.say(f"{stack.name} in {stack.region} does not exist.")

    def delete(self, stack: Stack, nested: str = "") -> None:
        """Deletes a stack, or one that was nested in it."""
        name = ["--stack-name", nested or stack.name]
        events = Events(self, stack, nested or stack.name)
        self.run(self.command(stack, "cloudformation", "delete-stack", *name))
        wait = self.command(stack, "cloudformation", "wait", "stack-delete-complete", *name)
        if error := self.run_beside(wait, BEAT, events.tell):
            self.fail(f"{nested or stack.name} in {stack.region} is not deleted", events, error)

    def fail(self, what: str, events: "Events", error: str) -> NoReturn:
        """Ends the program. If there was an event of the failure, it says more than the AWS CLI."""
        if events.has_failed:
            end(f"failed: {what}; its events say why", AGAIN)
        end(f"failed: {what}", *quoted(error), AGAIN)

    def stuck(self, stack: Stack, status: str) -> str:
        at = f"{stack.name} in {stack.region} is {status}; its events in CloudFormation say why"
        words = ["cloudformation", "delete-stack", "--stack-name", stack.name]
        if status == "UPDATE_ROLLBACK_FAILED":
            words[1] = "continue-update-rollback"
        command = joined(self.command(stack, *words))
        return f"{at}. Correct the cause, run `{command}`, and then the same command again."


class Events:
    """The events of a stack since now, each of which is printed once."""

    def __init__(self, runner: Runner, stack: Stack, name: str) -> None:
        self.runner, self.stack, self.name = runner, stack, name
        self.told = {it[0] for it in self.read()}
        self.has_failed = False

    def read(self) -> list[list[str]]:
        """Returns the newest events, the newest last. There are none if they cannot be read.

        Events only inform, so a failure to read them does not end the work.
        """
        words = ["describe-stack-events", "--stack-name", self.name, "--output", "json"]
        words += ["--max-items", str(MOST_EVENTS), "--query"]
        parts = "EventId, LogicalResourceId, ResourceType, ResourceStatus, ResourceStatusReason"
        command = self.runner.command(self.stack, "cloudformation", *words, f"StackEvents[].[{parts}]")
        done = self.runner.attempt(command)
        return list(reversed(json.loads(done.stdout or "[]"))) if done.returncode == 0 else []

    def tell(self) -> None:
        for event, name, kind, status, reason in self.read():
            if event not in self.told:
                self.told.add(event)
                self.has_failed |= status.endswith("_FAILED")
                self.runner.say(f"  {name} ({kind}): {status}{f': {reason}' if reason else ''}")


def key_of(stack: Stack) -> tuple[str, str, str]:
    return (stack.account, stack.region, stack.name)


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
