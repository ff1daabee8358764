#!/usr/bin/env python3
"""Asks AWS what org-backup could only assume, in a sandbox organization.

usage: check.py --account-id ID --organization-id ID [--member-account-id ID]
                [--instance-arn ARN --role-arn ARN] [--clean-up]

Every line of docs/unverified.md and docs/verified.md that can be looked at with calls that are taken
back is looked at, in an OU of its own below the root, and what is open comes first. For each, one line says whether AWS does as assumed, and what it
did. `--member-account-id` names an account that may be moved into that OU and back; without it, what
needs an account is left out. `--clean-up` only removes what a check that was killed left behind.

Nothing is called but the caller's identity unless both IDs are those of the credentials: they have to
be of the management account. Exit codes: 0 all is as assumed, 1 something is not, 2 it could not be
looked at.
"""

import argparse
import json
import sys
import time

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

NAME = "org-backup-live-check"
# What is in it stays from one run to another.
VAULT = {"BackupVaultName": f"{NAME}-images"}
SERVICE = "backup.amazonaws.com"
PUBLISHED_SECONDS = 300
CHECKS = []


class LeftOut(Exception):
    """Why something was not looked at."""


def assumption(text, *, is_open=False):
    """Registers a check, which returns whether `text` holds and what AWS did.

    What is open, because no source says anything about it, is asked first.
    """

    def register(check):
        CHECKS.append((not is_open, text, check))
        return check

    return register


def stop(why):
    print(why, file=sys.stderr)
    sys.exit(2)


def code(error):
    return error.response["Error"]["Code"]


def refused(call, **arguments):
    """What a call is refused with, or nothing when it is not."""
    try:
        call(**arguments)
    except ClientError as error:
        return code(error)
    return None


class Sandbox:
    """The organization, and the OU in which everything happens."""

    def __init__(self, arguments):
        self.session = botocore.session.get_session()
        self.arguments = arguments
        self.organizations = self.client("organizations", "us-east-1")
        self.unit = None
        self.policies = []
        self.home = None

    def client(self, service, region=None):
        config = Config(retries={"mode": "adaptive", "total_max_attempts": 8})
        return self.session.create_client(service, region_name=region or self.region(), config=config)

    def region(self):
        return self.session.get_config_variable("region") or "us-east-1"

    def begin(self):
        root = self.organizations.list_roots()["Roots"][0]
        self.root = root["Id"]
        types = {it["Type"]: it["Status"] for it in root["PolicyTypes"]}
        if types.get("BACKUP_POLICY") != "ENABLED":
            stop("backup policies are not enabled in this organization; hint: enable them for the root first")
        if self.left_behind():
            stop(f"an OU {NAME} is there already; hint: run with --clean-up first")
        tags = [{"Key": NAME, "Value": "temporary"}]
        made = self.organizations.create_organizational_unit(ParentId=self.root, Name=NAME, Tags=tags)
        self.unit = made["OrganizationalUnit"]["Id"]

    def left_behind(self):
        """The OU that an earlier check made: it has our name, our tag, and is below the root."""
        pages = self.organizations.get_paginator("list_organizational_units_for_parent")
        for page in pages.paginate(ParentId=self.root):
            for unit in page["OrganizationalUnits"]:
                if unit["Name"] == NAME and self.is_ours(unit["Id"]):
                    return unit["Id"]
        return None

    def is_ours(self, resource):
        tags = self.organizations.list_tags_for_resource(ResourceId=resource)["Tags"]
        return any(it["Key"] == NAME for it in tags)

    def policy(self, name, content, kind="BACKUP_POLICY"):
        made = self.organizations.create_policy(
            Name=f"{NAME}-{name}",
            Description="Made by a check and removed by it.",
            Content=json.dumps(content),
            Type=kind,
            Tags=[{"Key": NAME, "Value": "temporary"}],
        )
        self.policies.append(made["Policy"]["PolicySummary"]["Id"])
        return self.policies[-1]

    def attach(self, policy):
        self.organizations.attach_policy(PolicyId=policy, TargetId=self.unit)

    def detach(self, policy):
        self.organizations.detach_policy(PolicyId=policy, TargetId=self.unit)

    def member(self):
        """The account that may be moved, in the OU."""
        account = self.arguments.member_account_id
        if not account:
            raise LeftOut("no --member-account-id")
        if not self.home:
            self.home = self.organizations.list_parents(ChildId=account)["Parents"][0]["Id"]
            self.organizations.move_account(
                AccountId=account, SourceParentId=self.home, DestinationParentId=self.unit
            )
        return account

    def effective(self, account):
        try:
            it = self.organizations.describe_effective_policy(PolicyType="BACKUP_POLICY", TargetId=account)
        except ClientError as error:
            if code(error) == "EffectivePolicyNotFoundException":
                return {}, None
            raise
        it = it["EffectivePolicy"]
        return json.loads(it["PolicyContent"]), it["LastUpdatedTimestamp"]

    def published(self, account, wanted):
        """Waits until the effective policy of an account has what is wanted."""
        until = time.monotonic() + PUBLISHED_SECONDS
        while True:
            content, updated = self.effective(account)
            if wanted(content) or time.monotonic() > until:
                return content, updated
            time.sleep(2)

    def end(self):
        """Takes back everything that is there."""
        unit = self.unit or self.left_behind()
        if unit:
            for page in self.organizations.get_paginator("list_accounts_for_parent").paginate(ParentId=unit):
                for account in page["Accounts"]:
                    home = self.home or self.root
                    self.organizations.move_account(
                        AccountId=account["Id"], SourceParentId=unit, DestinationParentId=home
                    )
                    if not self.home:
                        print(f"moved the account {account['Id']} to the root, since it is not known where it was")
        for kind in ("BACKUP_POLICY", "TAG_POLICY"):
            for page in self.organizations.get_paginator("list_policies").paginate(Filter=kind):
                for policy in page["Policies"]:
                    if policy["Name"].startswith(f"{NAME}-") and self.is_ours(policy["Id"]):
                        self.remove(policy["Id"])
        if unit:
            self.organizations.delete_organizational_unit(OrganizationalUnitId=unit)

    def remove_vault(self, backup):
        """Removes the vault of an image, and what is in it."""
        backup.delete_backup_vault_access_policy(**VAULT)
        for it in backup.list_recovery_points_by_backup_vault(**VAULT)["RecoveryPoints"]:
            backup.delete_recovery_point(**VAULT, RecoveryPointArn=it["RecoveryPointArn"])
        backup.delete_backup_vault(**VAULT)

    def remove(self, policy):
        targets = self.organizations.get_paginator("list_targets_for_policy")
        for page in targets.paginate(PolicyId=policy):
            for target in page["Targets"]:
                self.organizations.detach_policy(PolicyId=policy, TargetId=target["TargetId"])
        self.organizations.delete_policy(PolicyId=policy)


def plan(name, schedule="cron(0 5 ? * * *)", vault="Default"):
    rule = {
        "schedule_expression": {"@@assign": schedule},
        "target_backup_vault_name": {"@@assign": vault},
    }
    selection = {
        "iam_role_arn": {"@@assign": "arn:aws:iam::$account:role/OrgBackupLiveCheck"},
        "tag_key": {"@@assign": NAME},
        "tag_value": {"@@assign": ["nothing"]},
    }
    return {
        "plans": {
            name: {
                "regions": {"@@assign": ["us-east-1"]},
                "rules": {"Rule": rule},
                "selections": {"tags": {"Selection": selection}},
            }
        }
    }


@assumption("enabling trusted access that is there already is no error")
def enable_again(sandbox):
    pages = sandbox.organizations.get_paginator("list_aws_service_access_for_organization").paginate()
    trusted = [it["ServicePrincipal"] for page in pages for it in page["EnabledServicePrincipals"]]
    if SERVICE not in trusted:
        raise LeftOut(f"{SERVICE} is not trusted, and would be afterwards")
    said = refused(sandbox.organizations.enable_aws_service_access, ServicePrincipal=SERVICE)
    return said is None, said or "accepted"


@assumption("UpdateGlobalSettings leaves settings alone that are not sent")
def global_settings_are_merged(sandbox):
    backup = sandbox.client("backup")
    before = backup.describe_global_settings()["GlobalSettings"]
    key = sorted(before)[0]
    backup.update_global_settings(GlobalSettings={key: before[key]})
    after = backup.describe_global_settings()["GlobalSettings"]
    return before == after, f"sent {key}={before[key]}; before {before}, after {after}"


@assumption("global settings are the same in every Region")
def global_settings_everywhere(sandbox):
    regions = sorted({"us-east-1", "eu-west-1", sandbox.region()})
    said = {it: sandbox.client("backup", it).describe_global_settings()["GlobalSettings"] for it in regions}
    return len({json.dumps(it, sort_keys=True) for it in said.values()}) == 1, str(said)


@assumption("UpdateRegionSettings leaves preferences alone that are not sent")
def region_settings_are_merged(sandbox):
    backup = sandbox.client("backup")
    before = backup.describe_region_settings()["ResourceTypeOptInPreference"]
    kind = sorted(before)[0]
    backup.update_region_settings(ResourceTypeOptInPreference={kind: before[kind]})
    after = backup.describe_region_settings()["ResourceTypeOptInPreference"]
    return before == after, f"sent {kind}={before[kind]}; {len(before)} before, {len(after)} after"


@assumption("every supported resource type is among the settings")
def supported_types_are_settings(sandbox):
    backup = sandbox.client("backup")
    settings = set(backup.describe_region_settings()["ResourceTypeOptInPreference"])
    missing = set(backup.get_supported_resource_types()["ResourceTypes"]) - settings
    return not missing, f"not among them: {', '.join(sorted(missing)) or 'none'}"


@assumption("DescribeAccount tells the state of an account as `State`, and its paths as `Paths`")
def account_state(sandbox):
    account = sandbox.organizations.describe_account(AccountId=sandbox.arguments.account_id)["Account"]
    told = [it for it in ("State", "Status", "Paths") if it in account]
    return "State" in told and "Paths" in told, f"told: {', '.join(told)}"


@assumption("ListPoliciesForTarget lists policies in the order of their attachment", is_open=True)
def order_of_attachment(sandbox):
    first, second = sandbox.policy("order-1", plan("first")), sandbox.policy("order-2", plan("second"))

    def listed():
        pages = sandbox.organizations.get_paginator("list_policies_for_target")
        pages = pages.paginate(TargetId=sandbox.unit, Filter="BACKUP_POLICY")
        return [it["Id"] for page in pages for it in page["Policies"]]

    orders = []
    for order in ([first, second], [second, first]):
        for policy in order:
            sandbox.attach(policy)
        orders.append((order, listed()))
        for policy in order:
            sandbox.detach(policy)
    return all(attached == found for attached, found in orders), f"attached, listed: {orders}"


@assumption("a name is taken for policies of all types", is_open=True)
def names_are_of_all_types(sandbox):
    sandbox.policy("name", plan("named"))
    try:
        sandbox.policy("name", {"tags": {"owner": {"tag_key": {"@@assign": "owner"}}}}, "TAG_POLICY")
    except ClientError as error:
        return code(error) == "DuplicatePolicyException", code(error)
    return False, "a tag policy of the same name was made"


@assumption("a schedule of seven fields is taken when a policy is made")
def seven_fields(sandbox):
    said = refused(sandbox.policy, name="seven", content=plan("seven", "cron(0 5 ? * * * *)"))
    return said is None, said or "accepted"


@assumption("a missing vault is reported as an AccessDeniedException that names no principal")
def missing_vault(sandbox):
    try:
        sandbox.client("backup").describe_backup_vault(BackupVaultName=NAME)
    except ClientError as error:
        said = error.response["Error"]["Message"]
        return said.startswith("Insufficient privileges to perform this action"), f"{code(error)}: {said}"
    return False, "accepted"


@assumption("a call in a Region that is not enabled fails with UnrecognizedClientException")
def disabled_region(sandbox):
    ec2 = sandbox.client("ec2", "us-east-1")
    regions = ec2.describe_regions(AllRegions=True)["Regions"]
    off = [it["RegionName"] for it in regions if it["OptInStatus"] == "not-opted-in"]
    if not off:
        raise LeftOut("every Region is enabled")
    said = refused(sandbox.client("backup", off[0]).describe_region_settings)
    return said == "UnrecognizedClientException", f"{off[0]}: {said or 'accepted'}"


@assumption("in an event pattern, `exists: false` holds for a field whose parents are missing too")
def exists_false(sandbox):
    pattern = {"detail": {"userIdentity": {"sessionContext": {"sessionIssuer": {"arn": [{"exists": False}]}}}}}
    event = {
        "id": "1", "account": sandbox.arguments.account_id, "source": "aws.organizations",
        "time": "2026-01-01T00:00:00Z", "region": "us-east-1", "resources": [],
        "detail-type": "AWS API Call via CloudTrail", "detail": {"userIdentity": {"type": "Root"}},
    }  # fmt: skip
    said = sandbox.client("events").test_event_pattern(EventPattern=json.dumps(pattern), Event=json.dumps(event))
    return said["Result"], f"matches: {said['Result']}"


@assumption("LastUpdatedTimestamp moves when a change is published")
def published_changes_move_the_time(sandbox):
    account = sandbox.member()
    policy = sandbox.policy("published", plan("Published"))
    _, before = sandbox.effective(account)
    sandbox.attach(policy)
    content, after = sandbox.published(account, lambda it: "published" in json.dumps(it).lower())
    sandbox.detach(policy)
    published = "published" in json.dumps(content).lower()
    return published and after != before, f"published: {published}, before {before}, after {after}"


@assumption("keys of effective backup policies are in lower case", is_open=True)
def lower_case(sandbox):
    account = sandbox.member()
    policy = sandbox.policy("case", plan("MixedCase"))
    sandbox.attach(policy)
    content, _ = sandbox.published(account, lambda it: "mixedcase" in json.dumps(it).lower())
    sandbox.detach(policy)
    plans = list(content.get("plans", {}))
    return "mixedcase" in plans, f"plans: {plans}"


@assumption("a control on an object does not keep levels below from adding keys to it", is_open=True)
def control_of_an_object(sandbox):
    account = sandbox.member()
    above = plan("controlled")
    above["plans"]["controlled"]["rules"]["@@operators_allowed_for_child_policies"] = ["@@none"]
    below = {"plans": {"controlled": {"rules": {"Added": plan("x")["plans"]["x"]["rules"]["Rule"]}}}}
    policies = [sandbox.policy("control", above), sandbox.policy("addition", below)]
    sandbox.attach(policies[0])
    sandbox.organizations.attach_policy(PolicyId=policies[1], TargetId=account)
    content, _ = sandbox.published(account, lambda it: "added" in json.dumps(it).lower())
    sandbox.organizations.detach_policy(PolicyId=policies[1], TargetId=account)
    sandbox.detach(policies[0])
    rules = {key.lower(): list(it.get("rules", {})) for key, it in content.get("plans", {}).items()}
    found = [it.lower() for it in rules.get("controlled", [])]
    return "added" in found, f"rules: {found}"


@assumption("expired backups of EC2 are deleted although the vault denies that to others", is_open=True)
def expired_images(sandbox):
    """Takes two runs, two days apart, since a backup is kept for a day at least.

    Its vault and the backup are all that stays between them, and `--clean-up` removes them, too.
    """
    backup = sandbox.client("backup")
    if refused(backup.describe_backup_vault, **VAULT):
        instance, role = sandbox.arguments.instance_arn, sandbox.arguments.role_arn
        if not instance or not role:
            raise LeftOut("no --instance-arn and --role-arn, of which an image would be kept for two days")
        backup.create_backup_vault(**VAULT)
        spared = ["arn:*:iam::*:role/aws-service-role/backup.amazonaws.com/*", role]
        statement = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "backup:DeleteRecoveryPoint",
            "Resource": "*",
            "Condition": {"StringNotLike": {"aws:PrincipalArn": spared}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        backup.put_backup_vault_access_policy(**VAULT, Policy=policy)
        kept = {"DeleteAfterDays": 1}
        backup.start_backup_job(**VAULT, ResourceArn=instance, IamRoleArn=role, Lifecycle=kept)
        raise LeftOut("a backup was begun that is kept for a day: run this again in two days")
    points = backup.list_recovery_points_by_backup_vault(**VAULT)["RecoveryPoints"]
    if not points:
        backup.delete_backup_vault(**VAULT)
        return True, "it is gone"
    if any(it["Status"] == "EXPIRED" for it in points):
        sandbox.remove_vault(backup)
        return False, "it is EXPIRED and still there"
    raise LeftOut("the backup has not expired yet")


def main():
    parser = argparse.ArgumentParser(description="Asks AWS what org-backup could only assume.")
    parser.add_argument("--account-id", required=True, help="the management account of the sandbox")
    parser.add_argument("--organization-id", required=True, help="its organization")
    parser.add_argument("--member-account-id", help="an account that may be moved, and is moved back")
    parser.add_argument("--instance-arn", help="an EC2 instance of which an image is made, for two days")
    parser.add_argument("--role-arn", help="the role that AWS Backup makes that image with")
    parser.add_argument("--clean-up", action="store_true", help="only remove what an earlier check left")
    arguments = parser.parse_args()
    sandbox = Sandbox(arguments)
    caller = sandbox.client("sts", "us-east-1").get_caller_identity()["Account"]
    if caller != arguments.account_id:
        stop(f"these are credentials of the account {caller}, not of {arguments.account_id}; nothing was done")
    organization = sandbox.organizations.describe_organization()["Organization"]
    if (organization["Id"], organization["MasterAccountId"]) != (arguments.organization_id, caller):
        stop(f"{caller} is not the management account of {arguments.organization_id}; nothing was done")
    if arguments.clean_up:
        sandbox.root = sandbox.organizations.list_roots()["Roots"][0]["Id"]
        sandbox.end()
        backup = sandbox.client("backup")
        if not refused(backup.describe_backup_vault, **VAULT):
            sandbox.remove_vault(backup)
        return 0
    differs = unknown = 0
    sandbox.begin()
    try:
        for _, text, check in sorted(CHECKS, key=lambda it: it[0]):
            try:
                holds, did = check(sandbox)
                verdict = "as assumed " if holds else "NOT SO     "
                differs += not holds
            except LeftOut as why:
                verdict, did = "left out   ", str(why)
            except (BotoCoreError, ClientError, KeyError) as error:
                verdict, did = "unknown    ", str(error) or repr(error)
                unknown += 1
            print(f"{verdict} {text}\n            {did}", flush=True)
    finally:
        sandbox.end()
    return 1 if differs else 2 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
