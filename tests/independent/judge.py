"""What boto3 sees of an organization, which is what a life is judged by."""

import json
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

REGION = "eu-central-1"
# The account whose key is none that moto made.
MANAGEMENT = "123456789012"
POLICY_TYPES = ("BACKUP_POLICY", "SERVICE_CONTROL_POLICY", "TAG_POLICY")

Json = dict[str, Any]


def expect(what: str, found: Any, wanted: Any) -> None:
    """Fails with what is different, unless both are the same."""
    if found != wanted:
        sides = [
            json.dumps(it, indent=1, sort_keys=True, default=str).splitlines() for it in (wanted, found)
        ]
        different = unified_diff(*sides, "wanted", "found", lineterm="", n=6)
        raise AssertionError("\n".join([what, *different]))


@dataclass
class Organization:
    """An organization of moto: root, two OUs and an account in each of them. CloudFormation, of which
    only the access of StackSets is looked at, is somewhere else.
    """

    endpoint: str
    cloudformation: str

    def __post_init__(self) -> None:
        self.organizations = self.client("organizations")
        self.organizations.create_organization(FeatureSet="ALL")
        self.root = self.organizations.list_roots()["Roots"][0]["Id"]
        self.units, self.accounts = [], []
        for name in ("workloads", "sandbox"):
            unit = self.organizations.create_organizational_unit(ParentId=self.root, Name=name)
            made = self.organizations.create_account(Email=f"{name}@example.com", AccountName=name)
            unit, account = unit["OrganizationalUnit"]["Id"], made["CreateAccountStatus"]["AccountId"]
            move = {"AccountId": account, "SourceParentId": self.root, "DestinationParentId": unit}
            self.organizations.move_account(**move)
            self.units.append(unit)
            self.accounts.append(account)

    def client(self, service: str, region: str = REGION, key: Json | None = None) -> Any:
        """A client of the management account, or of the account that the key is of."""
        key = key or {"AccessKeyId": MANAGEMENT, "SecretAccessKey": "none", "SessionToken": "none"}
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.cloudformation if service == "cloudformation" else self.endpoint,
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
            aws_session_token=key["SessionToken"],
            config=Config(retries={"total_max_attempts": 1}, proxies={}),
        )

    def all(self, operation: str, result: str, **arguments: Any) -> list[Json]:
        """All pages of a List operation."""
        if not self.organizations.can_paginate(operation):
            return getattr(self.organizations, operation)(**arguments)[result]
        pages = self.organizations.get_paginator(operation).paginate(**arguments)
        return [it for page in pages for it in page[result]]

    def tags(self, resource: str) -> Json:
        tags = self.all("list_tags_for_resource", "Tags", ResourceId=resource)
        return {it["Key"]: it["Value"] for it in tags}

    def policies(self, kind: str = "BACKUP_POLICY") -> Json:
        """Every policy of a type by its ID, with where it is attached and how it is tagged."""
        found = {}
        for summary in self.all("list_policies", "Policies", Filter=kind):
            identity = summary["Id"]
            policy = self.organizations.describe_policy(PolicyId=identity)["Policy"]
            targets = self.all("list_targets_for_policy", "Targets", PolicyId=identity)
            found[identity] = {
                "name": policy["PolicySummary"]["Name"],
                "description": policy["PolicySummary"]["Description"],
                "content": json.loads(policy["Content"]),
                "targets": sorted(it["TargetId"] for it in targets),
                "tags": {} if summary["AwsManaged"] else self.tags(identity),
            }
        return found

    def types(self) -> list[str]:
        """The policy types that are enabled."""
        types = self.organizations.list_roots()["Roots"][0]["PolicyTypes"]
        return sorted(it["Type"] for it in types if it["Status"] == "ENABLED")

    def trusted(self) -> list[str]:
        """The services that have trusted access."""
        listed = self.all("list_aws_service_access_for_organization", "EnabledServicePrincipals")
        return sorted(it["ServicePrincipal"] for it in listed)

    def administrators(self, service: str) -> list[str]:
        """The delegated administrators for a service."""
        arguments = {"ServicePrincipal": service}
        found = self.all("list_delegated_administrators", "DelegatedAdministrators", **arguments)
        return sorted(it["Id"] for it in found)

    def settings(self) -> Json:
        """The global settings of AWS Backup."""
        return self.client("backup").describe_global_settings()["GlobalSettings"]

    def effective(self, account: str) -> Json | None:
        """The effective backup policy of an account."""
        try:
            arguments = {"PolicyType": "BACKUP_POLICY", "TargetId": account}
            described = self.organizations.describe_effective_policy(**arguments)
        except ClientError as error:
            expect("why there is no effective policy", code(error), "EffectivePolicyNotFoundException")
            return None
        return json.loads(described["EffectivePolicy"]["PolicyContent"])

    def look(self) -> Json:
        """Everything that any of the functions could have changed."""
        stack_sets = self.client("cloudformation").describe_organizations_access()["Status"]
        return {
            "policies": {kind: self.policies(kind) for kind in POLICY_TYPES},
            "types": self.types(),
            "trusted access": self.trusted(),
            "administrators for backup": self.administrators("backup.amazonaws.com"),
            "StackSets": stack_sets,
            "settings": self.settings(),
            "tags of the root": self.tags(self.root),
        }

    def enable_backup_policies(self) -> None:
        self.organizations.enable_policy_type(RootId=self.root, PolicyType="BACKUP_POLICY")

    def add_policy(self, name: str, content: Json, *targets: str) -> str:
        """Makes and attaches a backup policy that is not of any function, and returns its ID."""
        made = self.organizations.create_policy(
            Name=name, Description="by hand", Content=json.dumps(content), Type="BACKUP_POLICY"
        )
        identity = made["Policy"]["PolicySummary"]["Id"]
        for target in targets:
            self.organizations.attach_policy(PolicyId=identity, TargetId=target)
        return identity

    def remove_policy(self, identity: str) -> None:
        """Detaches and deletes a policy, as somebody does by hand."""
        for target in self.all("list_targets_for_policy", "Targets", PolicyId=identity):
            self.organizations.detach_policy(PolicyId=identity, TargetId=target["TargetId"])
        self.organizations.delete_policy(PolicyId=identity)

    def enter(self, account: str, role: str) -> Json:
        """A key of a role in an account."""
        arn = f"arn:aws:iam::{account}:role/{role}"
        return self.client("sts").assume_role(RoleArn=arn, RoleSessionName="judge")["Credentials"]


def code(error: ClientError) -> str:
    return error.response["Error"]["Code"]
