#!/usr/bin/env python3
"""Runs the functions against moto, and has boto3 judge what they made of it.

usage: lives.py FOLDER [LIFE...]

FOLDER has the binaries of the functions. Every life has a moto and processes of its own, and all run
at once, since they mostly wait for the published rates. A life begins with what others made by hand,
goes as CloudFormation and Lambda have it go, and ends when boto3 finds nothing of the resource, and
everything else as it was.

Neither the organization nor the judge, nor what stands in for Lambda and CloudFormation, has anything
in common with the simulator and the tests in Rust: it is a second opinion.

Exit codes: 0 all lives were as they should be, 1 some were not, 2 they could not be run.
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import moto_server
from judge import MANAGEMENT, REGION, Json, Organization, expect
from stand_ins import TIMEOUT_SECONDS, CloudFormation, Exited, Function, Resource

BUCKET = "independent-state"
OWNER_TAG = "org-backup:owner"
LOG_LINES = 25
FUNCTIONS = ("backup-policy", "global-settings", "member-accounts", "policy-types", "service-access")
LIVES: list[Callable[["Life"], None]] = []


def life(run: Callable[["Life"], None]) -> Callable[["Life"], None]:
    """Registers a life, whose name is its function's."""
    LIVES.append(run)
    return run


class Life:
    """One organization, and the functions that run in its management account."""

    def __init__(self, binaries: Path, folder: Path, endpoint: str, stack: ExitStack) -> None:
        self.binaries, self.folder, self.stack = binaries, folder, stack
        self.cloudformation = CloudFormation()
        stack.callback(self.cloudformation.stop)
        self.organization = Organization(endpoint, self.cloudformation.url)
        self.environment = {
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": MANAGEMENT,
            "AWS_SECRET_ACCESS_KEY": "none",
            "AWS_SESSION_TOKEN": "none",
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ENDPOINT_URL_CLOUDFORMATION": self.cloudformation.url,
            "ORG_BACKUP_LOOPBACK": "true",
        }

    def keep_state(self) -> None:
        """Gives the functions a state bucket."""
        s3 = self.organization.client("s3")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        self.environment["STATE_BUCKET"] = BUCKET

    @property
    def is_kept(self) -> bool:
        return "STATE_BUCKET" in self.environment

    def kept(self) -> list[Json]:
        """What the state bucket says that resources are to be."""
        s3 = self.organization.client("s3")
        objects = s3.list_objects_v2(Bucket=BUCKET, Prefix="desired/").get("Contents", [])
        bodies = [s3.get_object(Bucket=BUCKET, Key=it["Key"])["Body"] for it in objects]
        return [json.load(it) for it in bodies]

    def start(self, name: str) -> Function:
        """Starts a function, which ends with this life at the latest."""
        function = Function(self.binaries / name, self.environment, self.folder / f"{name}.log")
        self.stack.callback(function.kill)
        return function

    def resource(self, kind: str, function: str) -> Resource:
        """A custom resource of a stack of its own, which nobody has created yet."""
        return Resource(self.cloudformation, self.start(function), kind, "Tested")


def succeed(answer: Json, what: str) -> Json:
    """Returns the attributes in an answer, which has to be a success."""
    expect(f"{what}: {answer.get('Reason')}", answer["Status"], "SUCCESS")
    return answer.get("Data") or {}


def fail(answer: Json, what: str, *why: str) -> None:
    """Makes sure that an answer is a failure, and that its reason names what it has to."""
    expect(what, answer["Status"], "FAILED")
    missing = [it for it in why if it not in answer["Reason"]]
    expect(f"what is missing in the reason: {answer['Reason']}", missing, [])


def plan(hour: int, name: str = "nightly") -> Json:
    """A backup policy with one plan, which begins at this hour."""
    rule = {
        "schedule_expression": {"@@assign": f"cron(0 {hour} ? * * *)"},
        "target_backup_vault_name": {"@@assign": "vault"},
        "lifecycle": {"delete_after_days": {"@@assign": "35"}},
    }
    selection = {
        "iam_role_arn": {"@@assign": "arn:aws:iam::$account:role/backup"},
        "tag_key": {"@@assign": "backup"},
        "tag_value": {"@@assign": ["yes"]},
    }
    regions = {"@@assign": [REGION]}
    made = {"regions": regions, "rules": {"rule": rule}, "selections": {"tags": {"tagged": selection}}}
    return {"plans": {name: made}}


def assigned(content: Any) -> Any:
    """A policy without operators, as it takes effect where nothing else is attached."""
    if not isinstance(content, dict):
        return content
    return content["@@assign"] if "@@assign" in content else {k: assigned(v) for k, v in content.items()}


def added(before: Json, after: Json) -> str:
    """The ID of the one policy that came to those before, which are as they were."""
    expect("the policies that were there before", {it: after.get(it) for it in before}, before)
    new = sorted(set(after) - set(before))
    expect("how many policies were made", len(new), 1)
    return new[0]


# The backup policy


def live_as_a_policy(it: Life) -> None:
    """Created twice at once, updated, undone by hand, updated again, deleted, and created too late."""
    there = it.organization
    there.enable_backup_policies()
    there.add_policy("nightly-dr", plan(1, "dr"), there.root)
    there.add_policy("by-hand", plan(2, "hand"), there.units[0])
    untouched, theirs = there.look(), there.policies()
    resource = it.resource("BackupPolicy", "backup-policy")
    other = it.start("backup-policy")

    # Lambda may deliver one request twice, and at once.
    first = {
        "Name": "nightly",
        "Description": "every night",
        "TargetIds": [there.units[0]],
        "Content": json.loads(json.dumps(plan(3)).replace("vault", "${Vault}")),
        "Variables": {"Vault": "vault"},
        "Tags": {"team": "platform"},
    }
    created = resource.request("Create", first)
    with ThreadPoolExecutor() as deliveries:
        list(deliveries.map(lambda it: it.invoke(created), [resource.function, other]))
    answers = resource.answers_to(created)
    identity = added(theirs, there.policies())
    told = {(answer["Status"], answer["PhysicalResourceId"]) for answer in answers}
    expect("what a Create was answered that was delivered twice", told, {("SUCCESS", identity)})
    resource.accept(created, answers[0])
    ours = there.policies()[identity]
    owner = resource.stack_id.split(":stack/")[1] + "/Tested"
    wanted = {
        "name": "nightly",
        "description": "every night",
        "content": plan(3),
        "targets": [there.units[0]],
        "tags": {"team": "platform", OWNER_TAG: owner},
    }
    expect("the policy that was created", ours, wanted)
    described = there.organizations.describe_policy(PolicyId=identity)["Policy"]
    attributes = {
        "PolicyId": identity,
        "PolicyArn": described["PolicySummary"]["Arn"],
        "ContentSha256": hashlib.sha256(described["Content"].encode()).hexdigest(),
    }
    expect("the attributes", answers[0]["Data"], attributes)
    effective = {
        "plans": {
            name: assigned(plan(hour, name)["plans"][name])
            for name, hour in (("dr", 1), ("hand", 2), ("nightly", 3))
        }
    }
    expect("the effective policy below the OU", there.effective(there.accounts[0]), effective)

    # A third delivery comes when the resource is there.
    resource.function.invoke(created)
    expect("the policies after a third delivery", there.policies(), theirs | {identity: ours})

    # A new content for other targets, whose old one is detached.
    second = {
        "Name": "nightly",
        "Description": "later",
        "Content": json.dumps(plan(4)),
        "TargetIds": f"root,{there.accounts[1]}",
    }
    succeed(resource.update(**second), "Update")
    expect("the ID after an Update", resource.physical_id, identity)
    updated = wanted | {
        "description": "later",
        "content": plan(4),
        "targets": sorted([there.root, there.accounts[1]]),
        "tags": {OWNER_TAG: owner},
    }
    expect("the policies after an Update", there.policies(), theirs | {identity: updated})

    # What cannot be done leaves everything as it is, and is rolled back.
    fail(resource.update(**second | {"Name": "by-hand"}), "Update to a name that is taken", "by-hand")
    expect("the policies after a failed Update", there.policies(), theirs | {identity: updated})
    succeed(resource.update(**second), "the rollback of it")
    expect("the policies after a rollback", there.policies(), theirs | {identity: updated})

    # Somebody deletes it: the next Update makes it again.
    there.remove_policy(identity)
    third = second | {"Content": plan(5), "TargetIds": ["root"]}
    data = succeed(resource.update(**third), "Update of what was deleted by hand")
    again = added(theirs, there.policies())
    remade = updated | {"content": plan(5), "targets": [there.root]}
    expect("the policy that was made again", there.policies()[again], remade)
    expect("the attribute PolicyId", data["PolicyId"], again)
    # With a state bucket, CloudFormation keeps the ID that it knows. Without, it replaces the resource
    # and deletes what has the old ID.
    expect("the ID", resource.physical_id, identity if it.is_kept else again)
    if not it.is_kept:
        succeed(resource.delete(physical_id=identity), "Delete of what was replaced")
        expect("the policies after that", there.policies(), theirs | {again: remade})

    if it.is_kept:
        s3 = there.client("s3")
        put = s3.put_object(Bucket=BUCKET, Key="policy.json", Body=json.dumps(plan(6)))
        url = f"s3://{BUCKET}/policy.json?versionId={put['VersionId']}"
        s3.put_object(Bucket=BUCKET, Key="policy.json", Body=json.dumps(plan(7)))
        third = {"Name": "nightly", "ContentUrl": url, "TargetIds": ["root"]}
        succeed(resource.update(**third), "Update with a ContentUrl")
        expect("its content", there.policies()[again]["content"], plan(6))
        kept = [(entry["PhysicalId"], entry["CurrentId"]) for entry in it.kept()]
        expect("what the state bucket has", kept, [(identity, again)])

    succeed(resource.delete(), "Delete")
    expect("the organization after the Delete", there.look(), untouched)
    succeed(resource.delete(), "Delete of what is deleted")
    resource.function.invoke(created)
    expect("the organization after a Create that came too late", there.look(), untouched)
    if it.is_kept:
        deleted = [bool(entry["DeletedSince"]) for entry in it.kept()]
        expect("whether the state bucket says that it is deleted", deleted, [True])


@life
def backup_policy_without_a_state_bucket(it: Life) -> None:
    live_as_a_policy(it)


@life
def backup_policy_with_a_state_bucket(it: Life) -> None:
    it.keep_state()
    live_as_a_policy(it)


def live_without_an_answer(it: Life) -> None:
    """A function is killed while it creates a policy. CloudFormation deletes an ID that it made up, and
    Lambda delivers the Create again.
    """
    there = it.organization
    there.enable_backup_policies()
    there.add_policy("nightly-dr", plan(1, "dr"), there.root)
    untouched, theirs = there.look(), there.policies()
    properties = {"Name": "nightly", "Content": plan(3), "TargetIds": ["root", *there.units]}
    for last in ("CreatePolicy", "AttachPolicy"):
        resource = it.resource("BackupPolicy", "backup-policy")
        moto_server.afterwards[last] = resource.function.kill
        created = resource.request("Create", properties)
        try:
            resource.function.invoke(created)
        except Exited:
            pass
        added(theirs, there.policies())
        expect("the answers of a function that was killed", resource.answers_to(created), [])

        resource.lose()
        resource.function = it.start("backup-policy")
        succeed(resource.delete(), "Delete with an ID that was made up")
        expect(
            f"the organization after a Delete, when {last} was the last call", there.look(), untouched
        )
        resource.function.invoke(created)
        expect("the organization after the second delivery", there.look(), untouched)


@life
def unanswered_create_without_a_state_bucket(it: Life) -> None:
    live_without_an_answer(it)


@life
def unanswered_create_with_a_state_bucket(it: Life) -> None:
    it.keep_state()
    live_without_an_answer(it)


@life
def policy_that_is_not_ours(it: Life) -> None:
    """A policy of the same name is refused, and taken over and released where that is asked for."""
    there = it.organization
    there.enable_backup_policies()
    theirs = there.add_policy("nightly", plan(1), there.units[0])
    untouched = there.look()
    properties = {"Name": "nightly", "Content": plan(3), "TargetIds": ["root"]}
    refused = it.resource("BackupPolicy", "backup-policy")
    fail(refused.create(**properties), "Create with a name that is taken", theirs)
    expect("the organization after that", there.look(), untouched)
    succeed(refused.delete(), "Delete after that")
    expect("the organization after the Delete", there.look(), untouched)

    adopted = it.resource("BackupPolicy", "backup-policy")
    data = succeed(adopted.create(**properties, Adopt=True), "Create that adopts")
    expect("the policy that was adopted", data["PolicyId"], theirs)
    policies = there.policies()
    expect("how many policies there are", len(policies), 1)
    expect(
        "its content and targets",
        (policies[theirs]["content"], policies[theirs]["targets"]),
        (plan(3), [there.root]),
    )
    succeed(adopted.delete(), "Delete of what was adopted")
    released = there.policies()
    expect("the policy that was released", list(released), [theirs])
    expect("its tags", released[theirs]["tags"], {})


@life
def policy_that_cannot_be(it: Life) -> None:
    """A Create that fails says why, and the Delete after it leaves nothing."""
    there = it.organization
    untouched, (full, room) = there.look(), there.units
    resource = it.resource("BackupPolicy", "backup-policy")
    answer = resource.create(Name="nightly", Content=plan(3), TargetIds=[room])
    fail(answer, "Create while the policy type is disabled", "BACKUP_POLICY")
    succeed(resource.delete(), "Delete while the policy type is disabled")
    expect("the organization without the policy type", there.look(), untouched)

    there.enable_backup_policies()
    for number in range(moto_server.MOST_ATTACHED):
        there.add_policy(f"policy-{number}", plan(1, f"plan-{number}"), full)
    untouched, theirs = there.look(), there.policies()
    for what, why, content, target in (
        ("no room", full, plan(3), full),
        ("no target", "ou-none-12345678", plan(3), "ou-none-12345678"),
        ("no policy", "JSON", "{", room),
    ):
        resource = it.resource("BackupPolicy", "backup-policy")
        answer = resource.create(Name="nightly", Content=content, TargetIds=[target])
        fail(answer, f"Create with {what}", why)
        expect(f"the organization after a Create with {what}", there.look(), untouched)
        succeed(resource.delete(), f"Delete after a Create with {what}")
        expect(f"the organization after the Delete, with {what}", there.look(), untouched)

    # A target goes away when the policy is there already.
    resource = it.resource("BackupPolicy", "backup-policy")
    unit = there.organizations.create_organizational_unit(ParentId=there.root, Name="closing")
    unit = unit["OrganizationalUnit"]["Id"]
    untouched = there.look()
    moto_server.afterwards["CreatePolicy"] = lambda: there.organizations.delete_organizational_unit(
        OrganizationalUnitId=unit
    )
    fail(
        resource.create(Name="nightly", Content=plan(3), TargetIds=[room, unit]), "Create halfway", unit
    )
    expect(
        "the ID of what a failed Create has made", resource.physical_id, added(theirs, there.policies())
    )
    succeed(resource.delete(), "Delete of what a failed Create has made")
    expect("the organization after that Delete", there.look(), untouched)


@life
def create_that_a_delete_overtakes(it: Life) -> None:
    """CloudFormation gives up on a Create while it is at work, and it goes on after the Delete."""
    it.keep_state()
    there = it.organization
    there.enable_backup_policies()
    there.add_policy("nightly-dr", plan(1, "dr"), there.root)
    untouched = there.look()
    resource = it.resource("BackupPolicy", "backup-policy")
    made, goes_on = threading.Event(), threading.Event()

    def hold() -> None:
        made.set()
        goes_on.wait(TIMEOUT_SECONDS)

    moto_server.afterwards["CreatePolicy"] = hold
    created = resource.request("Create", {"Name": "nightly", "Content": plan(3), "TargetIds": ["root"]})
    with ThreadPoolExecutor() as deliveries:
        overtaken = deliveries.submit(resource.function.invoke, created)
        expect("whether the policy is made", made.wait(TIMEOUT_SECONDS), True)
        resource.lose()
        resource.function = it.start("backup-policy")
        try:
            succeed(resource.delete(), "Delete")
        finally:
            goes_on.set()
        overtaken.result()
    expect("the organization after both", there.look(), untouched)
    expect("the answers that nobody waits for", resource.answers_to(created), [])


# What goes before policies


@life
def policy_types(it: Life) -> None:
    """Enabled once, and disabled only where no policy is attached."""
    it.keep_state()
    there = it.organization
    there.organizations.enable_policy_type(RootId=there.root, PolicyType="TAG_POLICY")
    untouched = there.look()
    resource = it.resource("PolicyTypes", "policy-types")
    data = succeed(resource.create(PolicyTypes=["BACKUP_POLICY"]), "Create")
    organization = there.organizations.describe_organization()["Organization"]
    attributes = {
        "RootId": there.root,
        "OrganizationId": organization["Id"],
        "ManagementAccountId": organization["MasterAccountId"],
    }
    expect("the attributes", data, attributes)
    enabled = untouched | {"types": ["BACKUP_POLICY", "TAG_POLICY"]}
    expect("the organization after the Create", there.look(), enabled)
    succeed(resource.update(PolicyTypes=["BACKUP_POLICY"], OnDelete="Disable"), "Update")
    expect("the organization after the Update", there.look(), enabled)

    policy = there.add_policy("by-hand", plan(1), there.root)
    attached = there.look()
    fail(resource.delete(), "Delete while a policy is attached", policy)
    expect("the organization after that", there.look(), attached)
    there.remove_policy(policy)
    succeed(resource.delete(), "Delete")
    expect("the organization after the Delete", there.look(), untouched)

    retained = it.resource("PolicyTypes", "policy-types")
    succeed(retained.create(PolicyTypes=["BACKUP_POLICY"]), "Create of what is retained")
    succeed(retained.delete(), "Delete of what is retained")
    expect("the organization after that", there.look(), enabled)


@life
def service_access(it: Life) -> None:
    """Trusted access, StackSets and a delegated administrator, of which only its own is reverted."""
    there = it.organization
    theirs, ours = "ram.amazonaws.com", "backup.amazonaws.com"
    there.organizations.enable_aws_service_access(ServicePrincipal=theirs)
    untouched = there.look()
    resource = it.resource("ServiceAccess", "service-access")
    administrator = {"AccountId": there.accounts[0], "ServicePrincipal": ours}
    properties = {"ServicePrincipals": [ours, theirs], "StackSets": True, "OnDelete": "Revert"}
    succeed(resource.create(**properties), "Create")
    found = there.look()
    expect("trusted access", found["trusted access"], [ours, theirs])
    expect("StackSets", found["StackSets"], "ENABLED")
    succeed(resource.update(**properties, DelegatedAdministrators=[administrator]), "Update")
    expect("the administrators", there.administrators(ours), [there.accounts[0]])
    expect("trusted access after the Update", there.trusted(), [ours, theirs])
    succeed(resource.delete(), "Delete")
    expect("the organization after the Delete", there.look(), untouched)

    retained = it.resource("ServiceAccess", "service-access")
    succeed(retained.create(ServicePrincipals=[ours]), "Create of what is retained")
    succeed(retained.delete(), "Delete of what is retained")
    expect("the organization after that", there.look(), untouched | {"trusted access": [ours, theirs]})


@life
def global_settings(it: Life) -> None:
    """Only what is named is set, and gets back what it was."""
    there = it.organization
    theirs = {"isDelegatedAdministratorEnabled": "true"}
    there.client("backup").update_global_settings(GlobalSettings=theirs)
    untouched = there.look()
    resource = it.resource("BackupGlobalSettings", "global-settings")
    data = succeed(resource.create(CrossAccountBackup=True, OnDelete="Restore"), "Create")
    expect(
        "the settings", there.settings(), untouched["settings"] | {"isCrossAccountBackupEnabled": "true"}
    )
    wanted = {
        "CrossAccountBackup": "true",
        "DelegatedAdministrator": "true",
        "MultiPartyApproval": "false",
    }
    expect("the attributes", data, wanted)
    both = {"CrossAccountBackup": False, "DelegatedAdministrator": False}
    succeed(resource.update(**both, OnDelete="Restore"), "Update")
    off = {"isCrossAccountBackupEnabled": "false", "isDelegatedAdministratorEnabled": "false"}
    expect("the settings after the Update", there.settings(), untouched["settings"] | off)
    succeed(resource.delete(), "Delete")
    expect("the organization after the Delete", there.look(), untouched)


@life
def member_accounts(it: Life) -> None:
    """Opt-ins in the management account and one that can be entered, and a report of one that cannot.

    The vaults have keys, since copies to other accounts need keys that are not those of AWS.
    """
    it.keep_state()
    there, regions, role = it.organization, [REGION, "eu-west-1"], "org-backup-member"
    entered, barred = there.accounts
    key = there.enter(entered, "OrganizationAccountAccessRole")
    there.client("iam", key=key).create_role(RoleName=role, AssumeRolePolicyDocument="{}")
    keys = {MANAGEMENT: None, entered: there.enter(entered, role)}
    for region in regions:
        for key in keys.values():
            kms = there.client("kms", region, key).create_key()["KeyMetadata"]["Arn"]
            vault = {"BackupVaultName": "vault", "EncryptionKeyArn": kms}
            there.client("backup", region, key).create_backup_vault(**vault)
    untouched = there.look()

    def opted_in(region: str, key: Json | None) -> Json:
        backup = there.client("backup", region, key)
        return backup.describe_region_settings()["ResourceTypeOptInPreference"]

    resource = it.resource("MemberAccounts", "member-accounts")
    properties = {"RoleName": role, "Regions": regions, "VaultName": "vault"}
    data = succeed(resource.create(**properties, OptIn={"EFS": True, "EBS": False}), "Create")
    bucket, key = data["ReportUri"].removeprefix("s3://").split("/", 1)
    report = there.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    counts = (data["AccountsReady"], data["AccountsNotReady"])
    expect(f"how many accounts are ready, and how many are not:\n{report}", counts, ("2", "1"))
    refused = [it for it in report.splitlines() if barred in it and "AccessDenied" in it]
    expect(f"why one is not ready:\n{report}", len(refused), 1)
    for region in regions:
        for account, key in keys.items():
            wanted = moto_server.REGION_SETTINGS | {"EFS": True, "EBS": False}
            expect(f"what {account} has opted in to in {region}", opted_in(region, key), wanted)
    for account, key in keys.items():
        own = there.client("iam", key=key).get_role(RoleName="AWSServiceRoleForBackup")["Role"]
        expect(f"whose role it is in {account}", own["Path"], "/aws-service-role/backup.amazonaws.com/")
    fail(
        resource.update(**properties, OptIn={"EFS": True}, OnNotReady="Fail"), "Update that may not fail"
    )
    succeed(
        resource.update(**properties, OptIn={"S3": True}, ExcludeAccounts=[barred], OnNotReady="Fail"),
        "Update without the account that is not ready",
    )
    expect("what was not named any more", opted_in(REGION, None)["EFS"], True)
    expect("what was named instead", opted_in("eu-west-1", keys[entered])["S3"], True)
    succeed(resource.delete(), "Delete")
    expect("the organization after the Delete", there.look(), untouched)
    expect("what is opted in to after the Delete", opted_in(REGION, None)["S3"], True)


# Running them


def run(number: int, binaries: Path) -> tuple[float, str]:
    """Runs one life, and returns how long it took and what was wrong with it."""
    begins, wrong = time.monotonic(), ""
    with tempfile.TemporaryDirectory() as folder:
        try:
            with ExitStack() as stack:
                endpoint = stack.enter_context(moto_server.run())
                LIVES[number](Life(binaries, Path(folder), endpoint, stack))
        except Exception:
            logs = [(it.name, it.read_text().splitlines()) for it in Path(folder).glob("*.log")]
            tails = ["\n".join([f"The end of {name}:", *lines[-LOG_LINES:]]) for name, lines in logs]
            wrong = "\n".join([traceback.format_exc(), *tails])
    return time.monotonic() - begins, wrong


def main() -> int:
    parser = argparse.ArgumentParser(usage="lives.py FOLDER [LIFE...]")
    parser.add_argument("folder", type=Path)
    parser.add_argument("lives", nargs="*")
    arguments = parser.parse_args()
    names = [it.__name__ for it in LIVES]
    chosen = arguments.lives or names
    if unknown := sorted(set(chosen) - set(names)):
        parser.error(f"there is no life called {unknown[0]}; there are {', '.join(names)}")
    missing = [it for it in FUNCTIONS if not (arguments.folder / it).is_file()]
    if missing:
        parser.error(f"{arguments.folder} has no {missing[0]}; hint: cargo build")
    # Nobody's profile, credentials or proxy has a say here.
    for name in [it for it in os.environ if it.startswith("AWS_") or it.lower().endswith("_proxy")]:
        del os.environ[name]
    context = multiprocessing.get_context("fork")
    failed = 0
    with ProcessPoolExecutor(len(chosen), context) as pool:
        running = {pool.submit(run, names.index(it), arguments.folder.resolve()): it for it in chosen}
        for done in as_completed(running):
            seconds, wrong = done.result()
            failed += bool(wrong)
            name, mark = running[done].replace("_", " "), "FAILED" if wrong else "ok"
            print(f"{mark:6} {seconds:5.1f} s  {name}", flush=True)
            if wrong:
                print(wrong, file=sys.stderr, flush=True)
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
