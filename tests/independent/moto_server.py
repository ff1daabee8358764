"""moto as an AWS Organization, with what it lacks or does otherwise than AWS documents.

Importing this module changes moto. Each change says what AWS documents, as "API: operation" for the
reference of that operation, and "guide: page" for a page of the user guide of AWS Organizations.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import moto.backup.urls
from moto.backup.responses import BackupResponse
from moto.core.responses import BaseResponse, EmptyResult
from moto.iam.models import SERVICE_NAME_CONVERSION, iam_backends
from moto.organizations import models, utils
from moto.organizations.exceptions import OrganizationsClientError
from moto.organizations.models import FakeDelegatedAdministrator, FakePolicy, OrganizationsBackend
from moto.organizations.responses import OrganizationsResponse
from moto.server import ThreadedMotoServer
from moto.sts.responses import TokenResponse

BACKUP_POLICY = "BACKUP_POLICY"
# Guide: "Quotas". As many as this are attached to one root, OU or account at most.
MOST_ATTACHED = 10
# What nobody has opted in or out of yet. AWS has more types than these.
REGION_SETTINGS = {"DynamoDB": True, "EBS": True, "EFS": False, "RDS": True, "S3": False}

# AWS works on one change of an organization at a time, and moto on as many as there are requests.
changing = threading.RLock()
# The work after an operation, before its caller is answered.
afterwards: dict[str, Callable[[], None]] = {}


def put_into(owner: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Makes a function a method of a class of moto, in the place of one of the same name."""

    def put(method: Callable[..., Any]) -> Callable[..., Any]:
        setattr(owner, method.__name__, method)
        return method

    return put


def go_on_after(operation: str) -> None:
    """Lets happen once what is to happen after an operation."""
    if happens := afterwards.pop(operation, None):
        happens()


# What every answer is called

answer = BaseResponse.call_action


@put_into(BaseResponse)
def call_action(self: BaseResponse) -> Any:
    """API: "Making API requests". AWS calls JSON what is JSON, and moto calls it HTML, which proxies
    answer with.
    """
    status, headers, body = answer(self)
    is_json = isinstance(body, str) and body.startswith("{")
    kind = "application/x-amz-json-1.1" if "X-Amz-Target" in self.headers else "application/json"
    return status, ({"Content-Type": kind} if is_json else {}) | headers, body


# Policies

create_policy_of_any_type = FakePolicy.__init__


@put_into(FakePolicy)
def __init__(self: FakePolicy, organization: Any, **kwargs: Any) -> None:
    """API: CreatePolicy. BACKUP_POLICY is a type like others, for which moto has no ARN."""
    kind = kwargs.get("Type")
    stand_in = {"Type": "TAG_POLICY"} if kind == BACKUP_POLICY else {}
    create_policy_of_any_type(self, organization, **kwargs | stand_in)
    if kind == BACKUP_POLICY:
        self.type = kind
        self._arn_format = "arn:{0}:organizations::{1}:policy/{2}/backup_policy/{3}"


def check_content(content: str) -> None:
    """API: CreatePolicy, UpdatePolicy. What is no JSON object is refused, and moto takes any text."""
    try:
        is_object = isinstance(json.loads(content), dict)
    except ValueError:
        is_object = False
    if not is_object:
        raise OrganizationsClientError(
            "MalformedPolicyDocumentException", "The policy document is not valid."
        )


create_policy_without_looking = OrganizationsBackend.create_policy
update_policy_without_looking = OrganizationsBackend.update_policy


@put_into(OrganizationsBackend)
def create_policy(self: OrganizationsBackend, **kwargs: Any) -> dict[str, Any]:
    check_content(kwargs["Content"])
    with changing:
        created = create_policy_without_looking(self, **kwargs)
    go_on_after("CreatePolicy")
    return created


@put_into(OrganizationsBackend)
def update_policy(self: OrganizationsBackend, **kwargs: Any) -> dict[str, Any]:
    """API: UpdatePolicy. moto takes a name that another policy has."""
    if "Content" in kwargs:
        check_content(kwargs["Content"])
    with changing:
        others = [it.name for it in self.policies if it.id != kwargs["PolicyId"]]
        if kwargs.get("Name") in others:
            raise models.DuplicatePolicyException
        publish(self)
        return update_policy_without_looking(self, **kwargs)


def find_target(backend: OrganizationsBackend, target: str) -> Any:
    """API: AttachPolicy, DetachPolicy, ListPoliciesForTarget. All know one error for a target that
    does not exist, where moto has one for each kind of it.
    """
    found = [it for it in [*backend.ou, *backend.accounts] if it.id == target]
    if not found:
        raise models.TargetNotFoundException
    return found[0]


@put_into(OrganizationsBackend)
def attach_policy(self: OrganizationsBackend, **kwargs: Any) -> None:
    """API: AttachPolicy. It needs the type to be enabled, room at the target, and that the policy is
    not attached there yet. moto looks at none of these.
    """
    with changing:
        policy, target = self.get_policy_by_id(kwargs["PolicyId"]), find_target(self, kwargs["TargetId"])
        enabled = [it["Type"] for root in self.ou for it in getattr(root, "policy_types", [])]
        # What every organization begins with is attached before anybody can enable its type.
        if policy.type not in enabled and not policy.aws_managed:
            raise models.PolicyTypeNotEnabledException
        if policy in target.attached_policies:
            raise OrganizationsClientError(
                "DuplicatePolicyAttachmentException", "It is attached there already."
            )
        if sum(it.type == policy.type for it in target.attached_policies) >= MOST_ATTACHED:
            raise models.ConstraintViolationException("You have attached the most policies possible.")
        target.attached_policies.append(policy)
        policy.attachments.append(target)
        publish(self)
    go_on_after("AttachPolicy")


@put_into(OrganizationsBackend)
def detach_policy(self: OrganizationsBackend, **kwargs: Any) -> None:
    """API: DetachPolicy. A policy that is not attached is an error, of which moto knows nothing."""
    with changing:
        policy, target = self.get_policy_by_id(kwargs["PolicyId"]), find_target(self, kwargs["TargetId"])
        if policy not in target.attached_policies:
            raise OrganizationsClientError("PolicyNotAttachedException", "It is not attached there.")
        target.attached_policies.remove(policy)
        policy.attachments.remove(target)
        publish(self)


list_policies_for_any_target = OrganizationsBackend.list_policies_for_target


@put_into(OrganizationsBackend)
def list_policies_for_target(self: OrganizationsBackend, **kwargs: Any) -> Any:
    find_target(self, kwargs["target_id"])
    return list_policies_for_any_target(self, **kwargs)


# API: every List operation. A page may have fewer items than there are, so that no page has all.
for model in utils.PAGINATION_MODEL.values():
    model["limit_default"] = 2


# Effective policies


def publish(backend: OrganizationsBackend) -> None:
    """API: DescribeEffectivePolicy. It tells when a policy was last merged anew."""
    backend.published = time.time()


def merge(above: Any, below: Any) -> Any:
    """Guide: "Inheritance operators". Merges two levels by the operators that set values.

    `@@operators_allowed_for_child_policies` is left out, as no policy here says it.
    """
    if not isinstance(below, dict):
        return below
    if any(it in below for it in ("@@assign", "@@append", "@@remove")):
        value = below.get("@@assign", above)
        if "@@append" in below:
            value = [*(value or []), *(it for it in below["@@append"] if it not in (value or []))]
        if "@@remove" in below:
            value = [it for it in value or [] if it not in below["@@remove"]]
        return value
    merged = dict(above) if isinstance(above, dict) else {}
    return merged | {key: merge(merged.get(key), value) for key, value in below.items()}


@put_into(OrganizationsResponse)
def describe_effective_policy(self: OrganizationsResponse) -> str:
    """API: DescribeEffectivePolicy, which moto does not have."""
    backend, kind = self.organizations_backend, self._get_param("PolicyType")
    target = self._get_param("TargetId") or backend.account_id
    levels, level = [], find_target(backend, target)
    while level is not None:
        levels.append(level)
        level = next((it for it in backend.ou if it.id == level.parent_id), None)
    policies = [it for level in reversed(levels) for it in level.attached_policies if it.type == kind]
    if not policies:
        raise OrganizationsClientError(
            "EffectivePolicyNotFoundException", "There is no effective policy."
        )
    content: Any = {}
    for policy in policies:
        content = merge(content, json.loads(policy.content))
    policy = {
        "PolicyContent": json.dumps(content),
        "LastUpdatedTimestamp": backend.published,
        "TargetId": target,
        "PolicyType": kind,
    }
    return json.dumps({"EffectivePolicy": policy})


@put_into(OrganizationsResponse)
def list_accounts_with_invalid_effective_policy(self: OrganizationsResponse) -> str:
    """API: ListAccountsWithInvalidEffectivePolicy, which moto lacks. Here it has nothing to say."""
    return json.dumps({"Accounts": [], "PolicyType": self._get_param("PolicyType")})


# Guide: "AWS services that you can use with AWS Organizations". AWS Backup and StackSets have delegated
# administrators, which moto does not know of.
FakeDelegatedAdministrator.SUPPORTED_SERVICES += [
    "backup.amazonaws.com",
    "member.org.stacksets.cloudformation.amazonaws.com",
]


# AWS Backup, which has none of its settings in moto

settings: dict[tuple[str, ...], dict[str, Any]] = {}


@put_into(BackupResponse)
def describe_global_settings(self: BackupResponse) -> str:
    """API: DescribeGlobalSettings. Its example has the values as text."""
    values = {"isCrossAccountBackupEnabled": "false"} | settings.get((self.current_account,), {})
    return json.dumps({"GlobalSettings": values, "LastUpdateTime": time.time()})


@put_into(BackupResponse)
def update_global_settings(self: BackupResponse) -> EmptyResult:
    """API: UpdateGlobalSettings. What is not named stays as it is."""
    settings.setdefault((self.current_account,), {}).update(json.loads(self.body)["GlobalSettings"])
    return EmptyResult()


def region_settings(response: BackupResponse) -> dict[str, dict[str, bool]]:
    """API: DescribeRegionSettings. They are those of one account in one Region."""
    key = (response.current_account, response.region)
    management = {"DynamoDB": False, "EFS": False}
    fresh = {
        "ResourceTypeOptInPreference": dict(REGION_SETTINGS),
        "ResourceTypeManagementPreference": management,
    }
    return settings.setdefault(key, fresh)


@put_into(BackupResponse)
def describe_region_settings(self: BackupResponse) -> str:
    return json.dumps(region_settings(self))


@put_into(BackupResponse)
def update_region_settings(self: BackupResponse) -> EmptyResult:
    """API: UpdateRegionSettings. What is not named stays as it is."""
    for preference, values in json.loads(self.body).items():
        region_settings(self)[preference].update(values)
    return EmptyResult()


for path in ("global-settings", "account-settings"):
    moto.backup.urls.url_paths["{0}/" + path + "$"] = BackupResponse.dispatch


# Roles

# Guide of AWS Backup: "Using service-linked roles". moto does not know how AWS writes the name.
SERVICE_NAME_CONVERSION["backup"] = "Backup"

assume_any_role = TokenResponse.assume_role


@put_into(TokenResponse)
def assume_role(self: TokenResponse) -> Any:
    """API: AssumeRole. A role that does not exist is denied, and moto lets everybody in."""
    arn = self._get_param("RoleArn")
    account, name = arn.split(":")[4], arn.split("/")[-1]
    if not any(it.name == name for it in iam_backends[account][self.partition].roles.values()):
        error = f"<Code>AccessDenied</Code><Message>sts:AssumeRole on {arn} is not allowed</Message>"
        body = f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error></ErrorResponse>"
        return 403, {"status": 403, "Content-Type": "text/xml"}, body
    return assume_any_role(self)


@contextmanager
def run() -> Iterator[str]:
    """Serves moto on a free port, and yields its address."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        yield "http://{}:{}".format(*server.get_host_and_port())
    finally:
        server.stop()
