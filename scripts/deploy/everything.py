"""Deletes the policies, backups, vaults, keys, roles and state that deleted stacks leave.

Vaults that a lock or a legal hold keeps are printed first and stay. Every run searches again, and deletes a
resource only after those that it finds through it. So a run continues where an interrupted one ended.
"""

import json
import re
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import NoReturn

from commands import NO_ENTITY, NO_KEY, NO_OBJECT, NO_VAULT, pauses
from members import pairs
from plan import Stack
from speech import UNREAD, end, quoted

# The role that AWS Organizations creates in each account that it creates.
ROLE = "OrganizationAccountAccessRole"
# The tag that names the stack and the resource that made a policy.
OWNER = "org-backup:owner"
# The beginning of the description of every template here.
OURS = "org-backup: "
# The fewest days that AWS KMS waits before it deletes a key.
DAYS_OF_KEYS = 7
# The greatest number of versions that S3 deletes in one call.
MOST_VERSIONS = 1_000
# The seconds for which a vault may keep the same number of backups before this program stops waiting.
STALLED = 15 * 60

# The parameters of `rollout.yaml` that name vaults, by the kind of their stack.
VAULTS = ["VaultName", "AirGappedVaultName"]
CENTRAL_VAULTS = ["CentralVaultName", "CentralAirGappedVaultName"]
# The parameters that name roles which stay. Other roles are deleted with their stack.
ROLES = ["BackupRoleName", "RestoreRoleName", "ScannerRoleName"]
# The parameters that name keys which the stacks did not create.
KEYS = ["VaultKeyArn", "CentralVaultKeyArn"]
# The templates with vaults or state of their own, which a file names or nobody does.
UNNAMED = ["bootstrap", "rollout", "central-backup-account"]
# The types of resources that may stay when their stack is deleted, and are deleted afterwards.
LEFT = ["AWS::CloudFormation::Stack", "AWS::S3::Bucket", "AWS::KMS::Key"]


@dataclass
class Vault:
    """A vault, as AWS describes it."""

    account: str
    region: str
    name: str
    backups: int
    key: str
    # The reason why AWS keeps it, if it has a lock that nobody can remove.
    kept: str = ""
    # True if it has a lock that is taken off first.
    is_locked: bool = False
    # The backups that legal holds keep: their ARNs, each with the names of its holds.
    held: dict[str, list[str]] = field(default_factory=dict)

    @property
    def place(self) -> str:
        return f"`{self.name}` in {self.account}, {self.region}"

    @property
    def key_id(self) -> str:
        return self.key.rpartition("/")[2]

    @property
    def stays(self) -> bool:
        return bool(self.kept or self.held)

    @property
    def remainder(self) -> str:
        """Returns the backups that stay, with the reason."""
        if self.kept:
            return f"{self.backups} backups in the vault {self.place}: {self.kept}"
        count = f"{len(self.held)} backup{'' if len(self.held) == 1 else 's'}"
        return f"{count} in the vault {self.place}, until you cancel legal holds and run this again: {self.holds}"

    @property
    def holds(self) -> str:
        return ", ".join(sorted({name for names in self.held.values() for name in names}))


@dataclass
class Findings:
    """Everything that exists and will be lost."""

    vaults: list[Vault] = field(default_factory=list)
    policies: list[tuple[str, str]] = field(default_factory=list)
    # The accounts and Regions that were rolled out to, whether they have a vault or not.
    places: set[tuple[str, str]] = field(default_factory=set)
    # Those that the file does not ask for any more.
    strays: set[tuple[str, str]] = field(default_factory=set)

    def lines(self) -> list[str]:
        """Returns the losses, and the deletions that AWS will refuse."""
        said = [f"- the backup policy `{name}` ({policy})" for policy, name in self.policies]
        free = [it for it in self.vaults if not it.stays]
        kept = [it for it in self.vaults if it.kept]
        held = [it for it in self.vaults if it.held and not it.kept]
        said += [f"- the vault {it.place}, with {it.backups} backups" for it in free]
        others = [(it, it.backups - len(it.held)) for it in held]
        said += [f"- backups of the vault {it.place} that no legal hold keeps: {count}" for it, count in others if count > 0]
        said += ["- the roles and keys of those accounts, and the state of org-backup"]
        if kept:
            said += ["AWS refuses to delete these until their backups expire. You pay for them until then:"]
            said += [f"- the vault {it.place}, with {it.backups} backups: {it.kept}" for it in kept]
        if held:
            said += ["Legal holds keep these, and you pay for them until you cancel the holds and run this again:"]
            said += [f"- the vault {it.place}, with {len(it.held)} of its {it.backups} backups: {it.holds}" for it in held]
        return said


class Everything:
    """Looks for everything and deletes it, with the commands of a `Runner`."""

    def __init__(self, runner, role: str) -> None:
        self.runner, self.role = runner, role
        self.plan = runner.plan
        self.rollouts = [it for it in self.plan.stacks if it.stays and it.stack_sets]
        # The stacks that an earlier file asked for: those that exist, and those that were deleted.
        self.left: list[Stack] = []
        self.gone: list[Stack] = []
        # The accounts and Regions in which stacks can be.
        self.places: list[tuple[str, str]] = []
        # The credentials of the session in each account, once there is one.
        self.sessions: dict[str, dict[str, str]] = {}

    # Looking.

    def look(self) -> Findings:
        """Finds what exists, and changes nothing."""
        self.places = self.runner.places()
        self.left = self.runner.find_left(self.places)
        self.refuse_unnamed_vaults()
        gone = self.runner.find_left(self.places, gone=True)
        gone = [it for it in gone if it not in self.left and it.template.name not in UNNAMED]
        self.gone = [it for it in gone if it.template.name == "member-account" or self.left_by(it)]
        findings = Findings(policies=self.policies())
        for rollout in self.rollouts:
            self.refuse_what_nobody_may(rollout)
            for account, region, names in self.members(rollout, findings):
                findings.places.add((account, region))
                vaults = [it for name in names if (it := self.vault(account, region, name))]
                if any(it.backups and not it.kept for it in vaults):
                    self.hold(account, region, vaults)
                findings.vaults += vaults
        return findings

    def refuse_unnamed_vaults(self) -> None:
        """Ends if an earlier file asked for vaults and state that this one does not name."""
        unnamed = [it for it in self.left if it.template.name in UNNAMED or it.stays and not self.rollouts]
        if unnamed:
            end(
                "An earlier file asked for these, and this one does not name the vaults and the state that belong to them:",
                *[f"- {it.name} in {it.region}" for it in unnamed],
                "Put back into the file what asked for them, such as Region, OrganizationalUnitIds, AccountIds or "
                "CentralAccountId, and run the same again. Or delete them by hand, with their vaults.",
                "Nothing was changed.",
            )

    def refuse_what_nobody_may(self, rollout: Stack) -> None:
        """Ends if no role that can be assumed may delete the central vault and its key.

        Without the roles of StackSets, only the administrators may.
        """
        account = rollout.parameters["CentralAccountId"]
        if not account:
            return
        deployed = self.runner.describe(rollout)
        kept = {it["ParameterKey"]: it["ParameterValue"] for it in (deployed or {}).get("Parameters", [])}
        patterns = kept.get("AdministratorRoleArns", rollout.parameters["AdministratorRoleArns"])
        role = f"arn:{self.runner.partition(rollout)}:iam::{account}:role/{self.role}"
        if not any(matches(it, role) for it in patterns.split(",") if it):
            stacksets = "arn:*:iam::*:role/stacksets-exec-*"
            end(
                f"The policies of the central vault and its key let only those roles delete that are in "
                f"AdministratorRoleArns, and {role} is not one of them.",
                f'Add AdministratorRoleArns = ["{stacksets}", "arn:*:iam::*:role/{self.role}"], deploy, and run '
                f"the same again; or name another role with --role.",
                "Nothing was changed.",
            )

    def members(self, rollout: Stack, findings: Findings) -> list[tuple[str, str, list[str]]]:
        """Returns the accounts and Regions that were rolled out to, with the names of their vaults."""
        named = rollout.parameters
        found: dict[tuple[str, str], list[str]] = {}
        for it in [*self.left, *self.gone]:
            if it.template.name == "member-account":
                found[it.account, it.region] = VAULTS
                findings.strays.add((it.account, it.region))
        if named["ManagementAccount"] == "true":
            regions = [it.region for it in self.plan.stacks if it.template.name == "member-account"]
            for region in [rollout.region, *regions]:
                found[self.plan.management, region] = VAULTS
        for stack_set in rollout.stack_sets:
            keys = CENTRAL_VAULTS if stack_set.only else VAULTS
            change = self.runner.change(rollout, stack_set)
            # An earlier run may have deleted the stacks already.
            for it in pairs([*change.again, *change.kept, *change.left]) or change.new:
                found[it] = [*found.get(it, []), *keys]
            findings.strays |= set(pairs(change.left))
        return [(*place, [named[it] for it in keys if named[it]]) for place, keys in sorted(found.items())]

    def vault(self, account: str, region: str, name: str) -> Vault | None:
        words = ["describe-backup-vault", "--backup-vault-name", name, "--output", "json"]
        done = self.runner.attempt(self.command(account, region, "backup", *words), self.session(account))
        if done.returncode and any(it in done.stderr for it in NO_VAULT):
            return None
        if done.returncode:
            self.end_unread(f"`{name}` in {account}, {region}", account, done.stderr)
        it = json.loads(done.stdout)
        vault = Vault(account, region, name, it.get("NumberOfRecoveryPoints", 0), it.get("EncryptionKeyArn", ""))
        vault.is_locked = bool(it.get("Locked"))
        final = it.get("LockDate")
        if it.get("VaultType") == "LOGICALLY_AIR_GAPPED_BACKUP_VAULT":
            if vault.backups:
                vault.kept = "it is logically air-gapped, and each backup stays until it expires"
        elif vault.is_locked and final and moment(final) <= datetime.now(UTC):
            if vault.backups:
                vault.kept = f"its compliance lock is final since {str(final)[:10]}, and each backup stays until it expires"
        return vault

    def end_unread(self, place: str, account: str, error: str) -> NoReturn:
        """Ends because a vault cannot be looked at. One that is passed over would stay with its backups."""
        hint = "Correct the cause"
        if "AccessDenied" in error:
            hint = f"Allow backup:DescribeBackupVault to the identity that is used in {account}"
            hint = f"{hint}, also in service control policies, or name another role with --role"
        text = f"The vault {place} cannot be looked at, so its backups are not known:"
        end(text, *quoted(error), f"{hint}. Then run the same again.", "Nothing was changed.", code=UNREAD)

    def hold(self, account: str, region: str, vaults: list[Vault]) -> None:
        """Notes in the vaults of an account and Region the backups that legal holds keep."""
        query = "LegalHolds[?Status != 'CANCELED'].[LegalHoldId, Title]"
        answer = self.ask(account, region, "backup", "list-legal-holds", "--query", query, "--output", "json")
        for hold, title in json.loads(answer or "[]"):
            words = ["list-recovery-points-by-legal-hold", "--legal-hold-id", hold, "--output", "json"]
            query = "RecoveryPoints[].[BackupVaultName, RecoveryPointArn]"
            points = json.loads(self.ask(account, region, "backup", *words, "--query", query) or "[]")
            for vault in vaults:
                for name, arn in points:
                    if name == vault.name:
                        vault.held.setdefault(arn, []).append(f"`{title}` ({hold})")

    def policies(self) -> list[tuple[str, str]]:
        """Returns the backup policies that stacks of this file and of earlier ones made: their IDs and names."""
        first = self.plan.stacks[0]
        words = ["list-policies", "--filter", "BACKUP_POLICY", "--output", "json"]
        words += ["--query", "Policies[].[Id, Name]"]
        found = json.loads(self.runner.output(self.runner.command(first, "organizations", *words)) or "[]")
        ours = []
        for policy, name in found:
            words = ["list-tags-for-resource", "--resource-id", policy, "--output", "text"]
            words += ["--query", f"Tags[?Key == '{OWNER}'].Value"]
            owner = self.runner.output(self.runner.command(first, "organizations", *words)) or ""
            if self.is_ours(owner, f"`{name}` ({policy})"):
                ours.append((policy, name))
        return ours

    def is_ours(self, owner: str, policy: str) -> bool:
        """Returns `True` if the owner of a policy is a stack of this deployment."""
        name, _, rest = owner.partition("/")
        is_named = any(it.name == name for it in self.plan.stacks)
        if is_named or not name.startswith(self.plan.policies):
            return is_named or name in self.plan.templates
        # The name of another deployment may begin alike.
        for account, region in self.places:
            first = replace(self.plan.stacks[0], account=account, region=region)
            at = f"arn:{self.runner.partition(first)}:cloudformation:{region}:{account}:stack"
            stack = replace(first, name=f"{at}/{name}/{rest.partition('/')[0]}")
            if (is_ours := self.runner.is_ours(stack)) is not None:
                return is_ours
        end(
            f"The backup policy {policy} belongs to the stack {name}, which is not in the file and which CloudFormation "
            f"does not know any more.",
            "Delete the policy in the console of AWS Organizations, or put it back into the file under [[policies]], and "
            "run the same again.",
            "Nothing was changed.",
        )

    # Deleting.

    def delete_policies(self) -> None:
        """Deletes policies before backups, so that none is made meanwhile."""
        first = self.plan.stacks[0]
        for policy, name in self.policies():
            words = ["list-targets-for-policy", "--policy-id", policy, "--output", "json"]
            words += ["--query", "Targets[].TargetId"]
            targets = json.loads(self.runner.output(self.runner.command(first, "organizations", *words)) or "[]")
            for target in targets:
                words = ["detach-policy", "--policy-id", policy, "--target-id", target]
                self.runner.run(self.runner.command(first, "organizations", *words))
            self.runner.run(self.runner.command(first, "organizations", "delete-policy", "--policy-id", policy))
            self.runner.say(f"The backup policy `{name}` is deleted.")

    def delete_backups(self, findings: Findings, *, strays: bool) -> None:
        """Deletes the resources in the accounts, except those that a lock or a legal hold keeps and those that
        they need: those in accounts and Regions that the file does not ask for any more, or the others."""
        kept = {it.account for it in findings.vaults if it.stays}
        spared = {it.key for it in findings.vaults if it.stays}
        for vault in findings.vaults:
            if not vault.kept and ((vault.account, vault.region) in findings.strays) == strays:
                self.delete_vault(vault, spared)
        named = self.rollouts[0].parameters if self.rollouts else {}
        asked = {account for account, _ in findings.places - findings.strays}
        accounts = {account for account, _ in findings.strays} - asked if strays else asked
        for account in sorted(accounts - kept):
            for role in dict.fromkeys(named[it] for it in ROLES if named.get(it)):
                self.delete_role(account, role)
        if kept and not strays:
            text = "Roles and keys stay in accounts where a lock or a legal hold keeps backups, which need them to expire"
            self.runner.say(f"{text}: {', '.join(sorted(kept))}.")

    def delete_vault(self, vault: Vault, spared: set[str]) -> None:
        """Deletes a vault with its backups. Deletes its key first, which only the vault names.

        Deletes only the other backups of a vault in which legal holds keep some.
        """
        at, name = (vault.account, vault.region, "backup"), ["--backup-vault-name", vault.name]
        if vault.is_locked and vault.backups:
            self.change(*at, "delete-backup-vault-lock-configuration", *name)
        query = ["--query", "RecoveryPoints[].RecoveryPointArn", "--output", "json"]
        asked: set[str] = set()
        fewest, since = None, time.monotonic()
        for pause in pauses():
            words = ["list-recovery-points-by-backup-vault", *name, *query]
            points = [it for it in json.loads(self.ask(*at, *words) or "[]") if it not in vault.held]
            for it in points:
                if it not in asked:
                    self.change(*at, "delete-recovery-point", *name, "--recovery-point-arn", it)
                    asked.add(it)
            if not points:
                break
            if fewest is None or len(points) < fewest:
                fewest, since = len(points), time.monotonic()
            elif time.monotonic() - since > STALLED:
                text = f"the vault {vault.place} keeps {fewest} backups, such as {points[0]}"
                hint = "look for new legal holds and for errors of AWS Backup, and run this again"
                end(f"{text}; hint: {hint}")
            time.sleep(pause)
        if vault.held:
            kept = f"{len(vault.held)} stay: {vault.holds}"
            self.runner.say(f"{len(asked)} backups of the vault {vault.place} are deleted, and {kept}.")
            return
        # Keeps AWS managed keys, and keys that the stacks did not create.
        if vault.key not in spared and f":{vault.account}:key/" in vault.key and vault.key_id not in self.own_keys():
            self.delete_key(vault.account, vault.region, vault.key)
        self.change(*at, "delete-backup-vault", *name)
        self.runner.say(f"The vault {vault.place} is deleted, with {len(asked)} backups.")

    def own_keys(self) -> list[str]:
        """Returns the IDs of the keys that somebody named for vaults."""
        named = self.rollouts[0].parameters if self.rollouts else {}
        return [it.rpartition("/")[2] for name in KEYS if (it := named.get(name))]

    def delete_key(self, account: str, region: str, key: str) -> None:
        query = ["--query", "KeyMetadata.KeyState", "--output", "text"]
        state = self.ask(account, region, "kms", "describe-key", "--key-id", key, *query, absent=NO_KEY)
        if state not in [None, "PendingDeletion"]:
            days = ["--pending-window-in-days", str(DAYS_OF_KEYS)]
            self.change(account, region, "kms", "schedule-key-deletion", "--key-id", key, *days)
            self.runner.say(f"The key {key} is deleted in {DAYS_OF_KEYS} days, and costs nothing until then.")

    def delete_role(self, account: str, role: str) -> None:
        region, name = self.plan.stacks[0].region, ["--role-name", role]
        for words, query, option, undo in [
            ("list-attached-role-policies", "AttachedPolicies[].PolicyArn", "--policy-arn", "detach-role-policy"),
            ("list-role-policies", "PolicyNames", "--policy-name", "delete-role-policy"),
        ]:
            answer = self.ask(account, region, "iam", words, *name, "--query", query, "--output", "json", absent=NO_ENTITY)
            if answer is None:
                return
            for it in json.loads(answer or "[]"):
                self.change(account, region, "iam", undo, *name, option, it)
        self.change(account, region, "iam", "delete-role", *name)

    def left_by(self, stack: Stack) -> list[tuple[str, str]]:
        """Returns the nested stacks, buckets and keys that deleted stacks of this name left.

        CloudFormation lists a deleted stack for 90 days, so a run finds the resources that an interrupted
        one had not deleted yet.
        """
        query = "StackSummaries[].[StackName, TemplateDescription, StackId]"
        words = ["list-stacks", "--stack-status-filter", "DELETE_COMPLETE", "--query", query, "--output", "json"]
        found = json.loads(self.runner.output(self.runner.command(stack, "cloudformation", *words)) or "[]")
        left = []
        for name, description, stack_id in found:
            # A stack of somebody else may have had the name.
            if name != stack.name or not (description or "").startswith(OURS):
                continue
            query = "StackResourceSummaries[?ResourceStatus == 'DELETE_SKIPPED'].[ResourceType, PhysicalResourceId]"
            words = ["list-stack-resources", "--stack-name", stack_id, "--query", query, "--output", "json"]
            answer = self.runner.output(self.runner.command(stack, "cloudformation", *words))
            left += [(kind, it) for kind, it in json.loads(answer or "[]") if kind in LEFT]
        return left

    def delete_left(self, stack: Stack, findings: Findings) -> None:
        """Deletes the resources that a deleted stack left. The keys of vaults are deleted with the vaults."""
        keys = [it.key_id for it in findings.vaults]
        for kind, it in sorted(self.left_by(stack), reverse=True):
            if kind == "AWS::S3::Bucket":
                self.delete_bucket(stack, it)
            elif kind == "AWS::CloudFormation::Stack":
                self.runner.delete(stack, it)
            elif it not in keys:
                self.delete_key(stack.account, stack.region, it)

    def delete_bucket(self, stack: Stack, bucket: str) -> None:
        at, name = (stack.account, stack.region, "s3api"), ["--bucket", bucket]
        if self.ask(*at, "head-bucket", *name, absent=NO_OBJECT) is None:
            return
        # The policy denies everybody the deletion of versions.
        self.change(*at, "delete-bucket-policy", *name)
        query = "{Objects: [Versions, DeleteMarkers][][].{Key: Key, VersionId: VersionId}}"
        while True:
            words = ["list-object-versions", *name, "--max-items", str(MOST_VERSIONS)]
            found = json.loads(self.ask(*at, *words, "--query", query, "--output", "json") or "{}")
            if not found.get("Objects"):
                break
            self.change(*at, "delete-objects", *name, "--delete", json.dumps(found | {"Quiet": True}))
        self.change(*at, "delete-bucket", *name)
        self.runner.say(f"The bucket {bucket} is deleted.")

    # Commands in an account.

    def ask(self, account: str, region: str, *words: str, absent: str = "") -> str | None:
        return self.runner.output(self.command(account, region, *words), absent, self.session(account))

    def change(self, account: str, region: str, *words: str) -> None:
        self.runner.run(self.command(account, region, *words), self.session(account))

    def command(self, account: str, region: str, *words: str) -> list[str]:
        profile = self.plan.profiles.get(account)
        named = ["--profile", profile] if profile else []
        return ["aws", *words[:2], "--region", region, *named, *words[2:]]

    def session(self, account: str) -> dict[str, str]:
        """Returns the variables of a session in an account that has no profile."""
        if account in [self.plan.management, *self.plan.profiles]:
            return {}
        if account not in self.sessions:
            first = self.plan.stacks[0]
            role = f"arn:{self.runner.partition(first)}:iam::{account}:role/{self.role}"
            words = ["assume-role", "--role-arn", role, "--role-session-name", "org-backup-undeploy"]
            words += ["--query", "Credentials.[AccessKeyId, SecretAccessKey, SessionToken]", "--output", "json"]
            answer = self.runner.output(self.runner.command(first, "sts", *words))
            names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]
            self.sessions[account] = dict(zip(names, json.loads(answer or "[]"), strict=True))
        return self.sessions[account]


def matches(pattern: str, arn: str) -> bool:
    """Returns `True` if an ARN matches a pattern, in which `*` stands for anything."""
    parts = [re.escape(it) for it in pattern.split("*")]
    return re.fullmatch(".*".join(parts), arn) is not None


def moment(text: object) -> datetime:
    """Reads a moment as the AWS CLI writes it: in ISO 8601, or in seconds since 1970."""
    if isinstance(text, int | float):
        return datetime.fromtimestamp(text, UTC)
    return datetime.fromisoformat(str(text).replace("Z", "+00:00"))
