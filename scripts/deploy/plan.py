"""Decides which stacks should exist, from the parameter file. Nothing is called here."""

import base64
import hashlib
import json
import pathlib
import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field

import resources
from members import ROOT, StackSet
from parameters import (
    AIR_GAPPED,
    ALWAYS_ENABLED,
    DERIVED,
    LONGEST,
    LONGEST_STACK,
    MOST_POLICY_TAGS,
    POLICY_TAGS,
    REGIONS_AS_OF,
    SHARED,
    VARIABLE,
    Parameters,
    slug,
)
from resources import State, evaluate, parse
from retention import Retentions
from template import Parameter, Template, as_text

# The partitions of AWS: the beginnings of their Regions, and the Region of the events of AWS Organizations.
# A test writes the file from the table in `crates/policy/src/partition.rs`.
PARTITIONS = json.loads(pathlib.Path(__file__).with_name("partitions.json").read_bytes())

# The architectures of programs, by the machine in their ELF header.
ARCHITECTURES = {62: "x86_64", 183: "arm64"}

# The parameters with delegated administrators, which `bootstrap.yaml` registers.
ADMINISTRATORS = ["BackupAdministratorAccountIds", "StackSetsAdministratorAccountId"]

# The end of the name of a stack, if it is not that of its template. The names of policies follow theirs.
SUFFIXES = {"backup-policies": "policies", "backup-policy": "policy-", "member-account": "member"}

# The templates in an order in which their stacks can be created.
ORDER = """
    bootstrap rollout member-account members backup-policies delegation delegated-policies backup-policy
    reattach event-forwarder coverage guardrails audit restore-testing monitoring monitoring-rollout
    monitoring-member
""".split()
# The templates whose stacks have vaults and roles that stay.
STAYING = ["rollout", "member-account", "central-backup-account"]

# The longest name of a stack that is whole in the names of its roles, which have 64 characters:
# `NAME-reattach-ReattachRole-` and 13 more.
LONGEST_UNCUT = 24

# The template of a StackSet in another template, and a parameter of it.
FILE = r"\$\{ArtifactPrefix\}([\w-]+)\.yaml"
PAIR = r"^ *- ParameterKey: (\w+)\n *ParameterValue: (.+)$"

# The most bytes of a template that CloudFormation takes without a bucket.
INLINE = 51_200

# The most bytes that CloudFormation takes of a parameter.
LONGEST_PARAMETER = 4_096


@dataclass
class Stack:
    """A stack as it should be."""

    name: str
    template: Template
    account: str
    region: str
    # The bucket of artifacts, if it needs one.
    bucket: str
    # All parameters, so that the file alone decides.
    parameters: dict[str, str]
    # The StackSets that it makes. Their stacks are made by the program.
    stack_sets: list[StackSet] = field(default_factory=list)
    # True if it has vaults, keys and roles, and so is not deleted with the others.
    stays: bool = False
    # The tags of all that it makes.
    tags: dict[str, str] = field(default_factory=dict)
    # True if it is in another account than most.
    is_elsewhere: bool = False

    @property
    def code(self) -> list[str]:
        """Returns the parameters that say which build it takes."""
        versions = ["ArtifactPrefix", *self.template.artifacts.values()]
        return [it for it in versions if it in self.parameters]


@dataclass
class Upload:
    """An object that has to be in a bucket. Its key is made of its content."""

    source: pathlib.Path
    bucket: str
    key: str
    account: str
    region: str
    # The stacks that take it, each with the parameter that says which version.
    takers: list[tuple[Stack, str]] = field(default_factory=list)

    @property
    def checksum(self) -> str:
        """Returns its SHA-256 in the form of S3."""
        return base64.b64encode(hashlib.sha256(self.source.read_bytes()).digest()).decode()

    def pin(self, version: str) -> None:
        """Has the stacks take this version, even if the key has another one by then."""
        for stack, name in self.takers:
            address = stack.parameters[name]
            stack.parameters[name] = f"{address}?versionId={version}" if address else version


@dataclass
class Plan:
    """Everything that should exist, in the order of its creation."""

    management: str
    organization: str
    profiles: dict[str, str]
    uploads: list[Upload] = field(default_factory=list)
    stacks: list[Stack] = field(default_factory=list)
    # The templates of the stacks that a file can ask for, by the names of the stacks. Those of the stacks of
    # policies begin with `policies`.
    templates: dict[str, Template] = field(default_factory=dict)
    policies: str = ""
    # The Regions that the file names for stacks and for archives.
    regions: set[str] = field(default_factory=set)
    # False if archives are missing, so that nobody can say which code is deployed.
    is_built: bool = True
    # Notes on requested resources that are not created, and on required ones that no stack creates.
    notes: list[str] = field(default_factory=list)

    def is_left(self, name: str) -> bool:
        """Returns `True` if an earlier file may have asked for a stack of this name, and this one does not."""
        return self.template_of(name) is not None and name not in {it.name for it in self.stacks}

    def template_of(self, name: str) -> Template | None:
        """Returns the template of a stack that this file or an earlier one may have asked for."""
        return self.templates.get(self.policies if name.startswith(self.policies) else name)

    @property
    def deleted(self) -> list[Stack]:
        """Returns the stacks that undeploying deletes, in that order."""
        return [it for it in reversed(self.stacks) if not it.stays]

    def everything(self, left: list[Stack]) -> list[Stack]:
        """Returns the stacks of this file and those that are left of an earlier one, in the order of their deletion."""
        staying = [it for it in reversed(self.stacks) if it.stays]
        return [
            *before_those_needed(self.deleted, [it for it in left if not it.stays]),
            *before_those_needed(staying, [it for it in left if it.stays]),
        ]


def before_those_needed(stacks: list[Stack], left: list[Stack]) -> list[Stack]:
    """Returns stacks in the order of their deletion, with others among them, each before those that it may need."""
    ordered, rank = list(stacks), {name: place for place, name in enumerate(ORDER)}
    for it in left:
        earlier = (at for at, other in enumerate(ordered) if rank[other.template.name] < rank[it.template.name])
        ordered.insert(next(earlier, len(ordered)), it)
    return ordered


class Planner:
    """Makes a plan from a parameter file. A missing value is noted as a problem of the parameters."""

    def __init__(
        self, parameters: Parameters, release: pathlib.Path, archives: pathlib.Path
    ) -> None:
        self.parameters, self.archives = parameters, archives
        self.templates, self.values = parameters.templates, parameters.values
        self.files = {it.name: it for it in sorted((release / "templates").iterdir())}
        self.files |= {it.name: it for it in sorted(archives.glob("*.zip"))}
        self.prefix = f"org-backup/{digest(self.files)}/"

        self.name = parameters.top("StackName", "org-backup")
        self.home = parameters.top("Region")
        self.regions = [self.home, *map(as_text, parameters.items("OtherRegions"))]
        self.units = parameters.items("OrganizationalUnitIds")
        # The targets of vaults, policies and opt-ins.
        self.targets = parameters.targets()
        self.plan = Plan(
            management=parameters.top("ManagementAccountId"),
            organization=as_text(self.values.get("OrganizationId", "")),
            profiles=parameters.table("Profiles"),
            templates={self.name_of(name): it for name, it in self.templates.items()},
            policies=self.name_of("backup-policy"),
            regions={*self.regions, *self.regions_of_buckets()},
        )
        # Documents by their address, each with the account whose bucket has it.
        self.documents: dict[str, tuple[pathlib.Path, str]] = {}
        has_sums = self.look_at_sums(release)
        self.add_stacks()
        if self.plan.is_built and not has_sums:
            text = "SHA256SUMS: is missing beside the files, so the files are used without a check"
            self.plan.notes.insert(0, f"{text}.")
        self.look_at_names()
        Retentions(parameters, self.central_vault() or "")
        self.add_uploads()

    def name_of(self, template: str) -> str:
        """Returns the name of the stacks of a template, or its beginning."""
        return self.name if template == "bootstrap" else f"{self.name}-{SUFFIXES.get(template, template)}"

    def regions_of_buckets(self) -> Iterable[str]:
        for it in [self.values, *self.values.values()]:
            buckets = it.get("Buckets") if isinstance(it, dict) else None
            yield from buckets if isinstance(buckets, dict) else []

    def look_at_names(self) -> None:
        """Refuses a name that is too long, which AWS would find halfway through a deployment."""
        # A name that contains the name of a policy is reported at the policy.
        stacks = [it for it in self.plan.stacks if it.template.name != "backup-policy"]
        if found := [it for stack in stacks for it in too_long(stack)]:
            over, limit, what = max(found)
            most, length = len(self.name) - over, len(self.name)
            text = f"may have {most} characters here and has {length}, since {what} is made of it"
            self.parameters.problem(["StackName"], f"{text} and may have {limit}")

    def look_at_sums(self, release: pathlib.Path) -> bool:
        """Compares files, which would be deployed into every account, with the sums of the release."""
        sums = {}
        for path in [release / "SHA256SUMS", self.archives / "SHA256SUMS"]:
            for line in path.read_text("utf-8").splitlines() if path.is_file() else []:
                digest, _, name = line.partition("  ")
                sums[name.removeprefix("./").removeprefix("templates/")] = digest
        for name, path in self.files.items():
            if sums and sums.get(name) != hashlib.sha256(path.read_bytes()).hexdigest():
                text = "does not match SHA256SUMS; download the release again, or build it with `make package`"
                self.parameters.problem([name], text)
        return bool(sums)

    # The stacks, each after those that it needs.

    def add_stacks(self) -> None:
        table = self.parameters.table
        self.add(self.name, "bootstrap", table("bootstrap"))
        if self.targets:
            self.add_accounts()
        self.add_policies()
        # Only administrators that are registered here are restored.
        registered = {key: it for key, it in table("bootstrap").items() if key in ADMINISTRATORS}
        bus = self.bus() if "monitoring" in self.values else ""
        self.add(f"{self.name}-reattach", "reattach", table("reattach") | registered, BusArn=bus)
        if partition := self.partition(self.home):
            self.add_forwarder(PARTITIONS[partition]["events"])
            self.look_for_what_is_lacking(PARTITIONS[partition]["events"])
        for name in ["coverage", "delegation", "guardrails", "audit", "restore-testing"]:
            self.add_optional(name)
        if "monitoring" in self.values:
            self.add_monitoring()
        if not self.values.get("NotificationEmail"):
            text = "NotificationEmail: is not set, so notifications of repairs, failures and alarms go nowhere"
            self.plan.notes.append(f"{text} until something subscribes to their topics.")

    def add_optional(self, template: str) -> None:
        """Adds the stacks of a table, unless the file does not have the table or they exist already."""
        name = f"{self.name}-{template}"
        if template in self.values and not any(it.name == name for it in self.plan.stacks):
            for region in self.regions_of(template):
                self.add(name, template, self.parameters.table(template), region=region)

    def look_for_what_is_lacking(self, events: str) -> None:
        """Notes the things that a fresh account lacks and no stack makes."""
        text = f"Trail: a fresh account has none. Unless one records in {events}, drift"
        self.plan.notes.append(f"{text} is noticed only once a day.")
        if "audit" in self.values:
            text = "[audit]: AWS Config has to record where it is deployed, which a fresh account does not."
            self.plan.notes.append(text)
        types = self.parameters.value_of_shared("PolicyTypes").split(",")
        if "guardrails" in self.values and "SERVICE_CONTROL_POLICY" not in types:
            text = "[guardrails]: SERVICE_CONTROL_POLICY is not among the PolicyTypes, and a fresh organization"
            self.plan.notes.append(f"{text} has it disabled, unless AWS Control Tower enabled it.")

    def add_forwarder(self, events: str) -> None:
        """Adds the stack that brings the events of AWS Organizations here, if they are elsewhere."""
        if events != self.home:
            values = self.parameters.table("event-forwarder")
            self.add(f"{self.name}-event-forwarder", "event-forwarder", values, region=events)
        elif "event-forwarder" in self.values:
            text = f"is not needed: the events are in {events} already"
            self.parameters.problem(["event-forwarder"], text)

    def add_accounts(self) -> None:
        rollout = self.parameters.table("rollout")
        stack = self.add(f"{self.name}-rollout", "rollout", rollout, stays=True)
        stack.stack_sets = [self.stack_set(f"{stack.name}-members", stack), *self.central(stack)]
        self.look_for_air_gapped_vaults("AirGappedVaultName", self.regions)
        central = list(map(as_text, rollout.get("CentralRegions") or [self.home]))
        self.look_for_air_gapped_vaults("CentralAirGappedVaultName", central)
        self.look_at_the_central_account()
        # StackSets do not reach the management account, and `rollout.yaml` makes one stack there.
        known = self.templates["member-account"].parameters
        member = {key: it for key, it in rollout.items() if key in known}
        if as_text(rollout.get("ManagementAccount", True)) == "true":
            for region in self.regions[1:]:
                name = f"{self.name}-member"
                self.add(
                    name, "member-account", member, at=["rollout"], region=region, stays=True
                )
        values = {"TargetIds": self.targets, "Regions": self.regions}
        values |= self.parameters.table("members")
        self.add(f"{self.name}-members", "members", values)

    def look_for_air_gapped_vaults(self, name: str, regions: list[str]) -> None:
        """Notes the Regions without such vaults, where the templates leave them out."""
        vault = self.parameters.table("rollout").get(name)
        for region in regions if vault else []:
            at = f"[rollout] {name}: in {region}, `{vault}`"
            match AIR_GAPPED.get(region, "unknown"):
                case "no":
                    text = f"{at} is left out: AWS has no logically air-gapped vaults there"
                    self.plan.notes.append(f"{text} (as of {REGIONS_AS_OF}).")
                case "unknown":
                    text = f"{at} may fail: it is unknown if AWS has logically air-gapped vaults there"
                    self.plan.notes.append(f"{text} (as of {REGIONS_AS_OF}).")

    def look_at_the_central_account(self) -> None:
        """Notes Regions that the central account has to enable, so that keys can be shared with it."""
        if account := self.values.get("CentralAccountId"):
            for region in self.regions:
                if region and region not in ALWAYS_ENABLED:
                    key = "Region" if region == self.home else "OtherRegions"
                    text = f"{key}: {region} has to be enabled in the central account {account} as well"
                    self.plan.notes.append(f"{text}, or copies from there fail.")

    def body(self, name: str, stack: Stack) -> dict:
        return body_of(name, stack, self.templates, self.partition(stack.region))

    def stack_set(self, name: str, stack: Stack) -> StackSet:
        """Returns the StackSet of all accounts."""
        return StackSet(
            name,
            **self.body(name, stack),
            units=list(map(as_text, self.units)),
            also=list(map(as_text, self.parameters.items("AccountIds"))),
            regions=self.regions,
            excluded=list(map(as_text, self.parameters.items("ExcludeAccounts"))),
            **preferences(stack),
        )

    def central(self, stack: Stack) -> list[StackSet]:
        """Returns the StackSet of the central account, if there is one."""
        if not (account := stack.parameters["CentralAccountId"]):
            return []
        regions = (stack.parameters["CentralRegions"] or self.home).split(",")
        name = f"{stack.name}-central"
        body = self.body(name, stack)
        return [StackSet(name, [ROOT], regions, only=[account], **body, **preferences(stack))]

    def add_policies(self) -> None:
        # Policies go where the vaults are.
        targets = {"TargetIds": self.targets} if self.targets else {}
        if "backup-policies" in self.values:
            values = targets | {"Regions": self.regions}
            values |= self.parameters.table("backup-policies")
            for key in POLICY_TAGS:
                tags = values.get(key)
                if isinstance(tags, list):
                    # The template takes the first, second and third, whether or not it is empty.
                    values |= {key: [*tags, *[""] * (MOST_POLICY_TAGS - len(tags))]}
            self.add(f"{self.name}-policies", "backup-policies", values)
        for number, policy in enumerate(self.parameters.policies(), 1):
            path = self.parameters.folder / as_text(policy.get("Document", ""))
            if not path.is_file():
                continue
            at = ["policies", str(number)]
            account = as_text(policy.get("AccountId", self.plan.management))
            bucket = self.bucket_of_documents(account)
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            url = f"s3://{bucket}/org-backup/policies/{content}.json"
            self.documents[url] = (path, account)
            variables = self.variables(at, policy, path)
            # The stack of the function that makes the policy.
            functions = self.name
            if account != self.plan.management:
                functions = self.add_delegated(account)
            name = f"{self.plan.policies}{slug(as_text(policy.get('PolicyName', '')))}"
            if len(name) > LONGEST_STACK:
                text = f"is too long for the name of its stack, `{name}`, which has {len(name)}"
                text = f"{text} characters and may have {LONGEST_STACK}"
                self.parameters.problem([*at, "PolicyName"], text)
            values = targets | policy | {"Variables": variables}
            derived = {"ContentUrl": url, "BootstrapStackName": functions}
            self.add(name, "backup-policy", values, at=at, **derived)

    def variables(self, at: list[str], policy: dict, path: pathlib.Path) -> str:
        """Returns the values of `${name}` in a document: its own variables, and those of the file."""
        try:
            used = set(VARIABLE.findall(path.read_text("utf-8-sig")))
        except ValueError:
            return ""
        # The central vault is named once, in the file.
        central = self.values.get("CentralVaultArn") or self.central_vault()
        known = {
            "BackupRoleName": self.parameters.value_of_shared("BackupRoleName"),
            "CentralVaultArn": as_text(central) if central else None,
            "Region": self.home,
            "Regions": self.regions,
            "VaultName": self.parameters.value_of_shared("VaultName"),
        }
        own = policy.get("Variables", {})
        if not isinstance(own, dict):
            return ""
        given = {name: it for name, it in known.items() if name in used and it} | own
        for name in sorted(used - set(given)):
            text = f"`${{{name}}}` has no value; name it in Variables"
            if name in known:
                text = f"`${{{name}}}` has no value, since the file does not set {name}"
            self.parameters.problem([*at, "Document"], text)
        for name in sorted(set(own) - used):
            self.parameters.problem([*at, "Variables", name], "is not in the document, as `${…}`")
        text = json.dumps(given) if given else ""
        if len(text.encode()) > LONGEST_PARAMETER:
            most = f"{LONGEST_PARAMETER} bytes, which is the most that CloudFormation accepts"
            self.parameters.problem([*at, "Variables"], f"must be at most {most}")
        return text

    def bucket_of_documents(self, account: str) -> str:
        """Returns the bucket from which functions in an account read documents."""
        own = self.parameters.table("delegated-policies").get("Buckets")
        if account != self.plan.management:
            buckets = own if isinstance(own, dict) else {}
            return self.bucket(["delegated-policies", "Buckets"], buckets, self.home)
        return self.bucket(["Buckets"], self.parameters.table("Buckets"), self.home)

    def add_delegated(self, account: str) -> str:
        """Adds the function that makes policies in another account, once, and returns its stack's name.

        The stack that allows the account to do that comes before it.
        """
        name = f"{self.name}-delegated-policies"
        if not any(it.name == name for it in self.plan.stacks):
            values = self.parameters.table("delegated-policies") | {"AccountId": account}
            self.add_optional("delegation")
            documents = self.bucket_of_documents(account)
            self.add(name, "delegated-policies", values, PolicyBucket=documents)
        return name

    def bus(self) -> str:
        """Returns the ARN of the event bus that `monitoring.yaml` makes."""
        values, region = self.parameters.table("monitoring"), self.regions_of("monitoring")[0]
        account = as_text(values.get("AccountId", self.plan.management))
        bus = values.get("BusName", self.templates["monitoring"].parameters["BusName"].default)
        partition = self.partition(region, ["monitoring", "DeployRegions"])
        return f"arn:{partition}:events:{region}:{account}:event-bus/{bus}"

    def add_monitoring(self) -> None:
        """Adds the event bus, and the rules that send events to it from every account and Region."""
        values, regions = self.parameters.table("monitoring"), self.regions_of("monitoring")
        if len(regions) > 1:
            text = "must be one Region, since there is one event bus"
            self.parameters.problem(["monitoring", "DeployRegions"], text)
        arn, heard = self.bus(), {"ReattachAccountId": self.plan.management}
        self.add(f"{self.name}-monitoring", "monitoring", values, region=regions[0], **heard)
        if self.targets:
            name = f"{self.name}-monitoring-rollout"
            stack = self.add(name, "monitoring-rollout", {}, BusArn=arn)
            stack.stack_sets = [self.stack_set(name, stack)]
        for region in self.regions:
            name = f"{self.name}-monitoring-member"
            self.add(name, "monitoring-member", {}, region=region, BusArn=arn)

    def regions_of(self, table: str) -> list[str]:
        regions = self.parameters.table(table).get("DeployRegions")
        return regions if isinstance(regions, list) and regions else [self.home]

    def add(
        self,
        name: str,
        template: str,
        values: dict,
        *,
        at: list[str] | None = None,
        region: str = "",
        stays: bool = False,
        **derived: str,
    ) -> Stack:
        """Adds a stack with the values of a table, which is `at` a place of the file."""
        it, region = self.templates[template], region or self.home
        account = as_text(values.get("AccountId", self.plan.management))
        if account not in ["", self.plan.management, *self.plan.profiles]:
            what = "must be the profile of the AWS CLI that has credentials of that account"
            self.parameters.missing(["Profiles", account], what)
        bucket = ""
        if "ArtifactBucket" in it.parameters or len(it.text.encode()) > INLINE:
            own = isinstance(values.get("Buckets"), dict)
            where = [template, "Buckets"] if own else ["Buckets"]
            buckets = values["Buckets"] if own else self.parameters.table("Buckets")
            bucket = self.bucket(where, buckets, region)
        for artifact in it.artifacts:
            if artifact not in self.files:
                self.plan.is_built = False
                text = f"is not in {self.archives}, and {template}.yaml needs it; run `make package`"
                self.parameters.problem([artifact], text, unbuilt=True)
            elif "Architecture" in it.parameters:
                self.look_at_architecture(artifact)
        # The versions are known when the files are uploaded.
        derived = self.derived(bucket) | derived | dict.fromkeys(it.artifacts.values(), "")
        parameters = {
            key: self.value(at or [template], parameter, values, derived)
            for key, parameter in it.parameters.items()
        }
        tags = {key: as_text(it) for key, it in self.parameters.table("Tags").items()}
        stack = Stack(name, it, account, region, bucket, parameters, stays=stays, tags=tags)
        stack.is_elsewhere = account != self.plan.management
        self.plan.stacks.append(stack)
        return stack

    def look_at_architecture(self, artifact: str) -> None:
        """Refuses a function for other processors, which would not start and never answer."""
        built = architecture(self.files[artifact])
        asked = self.parameters.value_of_shared("Architecture")
        if built not in [None, asked]:
            text = (
                f"is built for {built}, and Architecture is {asked}; correct that, or give make "
                f"ARCHITECTURE={asked}"
            )
            self.parameters.problem([artifact], text)

    def bucket(self, at: list[str], buckets: dict, region: str) -> str:
        if region and region not in buckets:
            what = "must be the name of a bucket in that Region, for archives and templates"
            self.parameters.missing([*at, region], what)
        return as_text(buckets.get(region, ""))

    # The parameters.

    def derived(self, bucket: str) -> dict[str, str]:
        partition, management = self.partition(self.home), self.plan.management
        roles = f"arn:{partition}:iam::{management}:role/"
        member_accounts = roles + self.parameters.value_of_shared("MemberAccountsRoleName")
        # The accounts and the state bucket trust the deployed roles only.
        coverage = ""
        if "coverage" in self.values:
            coverage = roles + self.parameters.value_of_shared("CoverageRoleName")
        writing = [*(roles + it for it in writers(self.name)), member_accounts, coverage]
        documents = as_text(self.parameters.table("Buckets").get(self.home, ""))
        return {
            "ArtifactBucket": bucket,
            "ArtifactPrefix": self.prefix,
            "BootstrapStackName": self.name,
            "CoverageRoleArn": coverage,
            "HomeRegion": self.home,
            "ManagementAccountId": management,
            "MemberAccountsRoleArn": member_accounts,
            "MembersStackName": f"{self.name}-members" if self.targets else "",
            "PolicyBucket": documents if self.has_documents() else "",
            "StateWriterRoleArns": ",".join(filter(None, writing)),
        }

    def has_documents(self) -> bool:
        """Returns `True` if the function in the management account reads documents."""
        accounts = [as_text(it.get("AccountId", self.plan.management)) for it in self.parameters.policies()]
        return self.plan.management in accounts

    def value(
        self, at: list[str], parameter: Parameter, values: dict, derived: dict[str, str]
    ) -> str:
        name = parameter.name
        if name in derived or name in DERIVED:
            return derived[name]
        source, key = (self.values, [name]) if name in SHARED else (values, [*at, name])
        if name in source:
            # Several templates have the parameter, each with bounds of its own.
            if name in SHARED and (fault := parameter.fault(source[name])):
                self.parameters.problem(key, fault)
            return as_text(source[name])
        if name == "CentralVaultArn" and (arn := self.central_vault()):
            return arn
        if parameter.default is None:
            self.parameters.missing(key, parameter.constraint, is_list=parameter.is_list)
        return parameter.default or ""

    def central_vault(self) -> str | None:
        """Returns the ARN of the vault that `rollout.yaml` makes in the central account."""
        account = self.values.get("CentralAccountId")
        if not account or not self.targets:
            return None
        regions = self.parameters.table("rollout").get("CentralRegions") or [self.home]
        vault = self.parameters.value_of_shared("CentralVaultName")
        region = as_text(regions[0])
        partition = self.partition(region, ["rollout", "CentralRegions"])
        return f"arn:{partition}:backup:{region}:{account}:backup-vault:{vault}"

    def partition(self, region: str, at: Iterable[str] = ()) -> str:
        """Returns the partition of a Region, which is that of the stacks or `at` another place of the file.

        It is empty for an unknown Region, which is noted, and for a missing one, which has been.
        """
        area = region.rsplit("-", 2)[0]
        for name, partition in PARTITIONS.items():
            if area in partition["areas"]:
                return name
        if region:
            text = f"`{region}` is in no partition that this release knows"
            self.parameters.problem(["Region"] if region == self.home else at, text)
        return ""

    # The files.

    def add_uploads(self) -> None:
        wanted: dict[tuple[str, str], Upload] = {}
        for stack in self.plan.stacks:
            for name, version in stack.template.artifacts.items():
                if self.plan.is_built and name in self.files:
                    key = self.prefix + name
                    upload = Upload(
                        self.files[name], stack.bucket, key, stack.account, stack.region
                    )
                    taken = wanted.setdefault((stack.bucket, key), upload)
                    taken.takers.append((stack, version))
        for url, (path, account) in self.documents.items():
            bucket, _, key = url.removeprefix("s3://").partition("/")
            upload = Upload(path, bucket, key, account, self.home)
            takers = [it for it in self.plan.stacks if it.parameters.get("ContentUrl") == url]
            upload.takers = [(it, "ContentUrl") for it in takers]
            wanted[bucket, key] = upload
        self.plan.uploads = list(wanted.values())


def body_of(name: str, stack: Stack, templates: dict[str, Template], partition: str) -> dict:
    """Returns the template of a StackSet of a stack, and the parameters of its stacks."""
    pseudo = {
        "AWS::AccountId": stack.account,
        "AWS::Partition": partition,
        "AWS::Region": stack.region,
        "AWS::StackName": stack.name,
    }
    state = State(resources.read(stack.template.text), stack.parameters | pseudo)
    sets = [it for it in state.body.resources.values() if it.kind == "AWS::CloudFormation::StackSet"]
    [it] = [it for it in sets if evaluate(parse(it.properties["StackSetName"]), state) == name]
    template = templates[re.findall(FILE, it.properties["TemplateURL"])[0]]
    parameters = {key: of.default or "" for key, of in template.parameters.items()}
    for key, text in re.findall(PAIR, it.properties["Parameters"], re.M):
        parameters[key] = as_text(evaluate(parse(text), state))
    return {"body": template.text, "parameters": parameters}


def too_long(stack: Stack) -> list[tuple[int, int, str]]:
    """Returns the names that contain the name of a stack and are too long: the excess, the limit and the use."""
    name, file = stack.name, f"{stack.template.name}.yaml"
    names = [(name, LONGEST_STACK, f"the name of the stack of {file}")]
    for key, pattern in stack.template.names:
        made = pattern.replace("${AWS::StackName}", "AWS::StackName").replace("AWS::StackName", name)
        names.append((made, LONGEST[key], f"{key} in {file}"))
    return [(len(it) - most, most, what) for it, most, what in names if len(it) > most]


def writers(name: str) -> list[str]:
    """Returns patterns of the names that CloudFormation gives the roles that write state.

    `bootstrap.yaml` has those of its own. CloudFormation cuts the name of a stack that is long.
    """
    if len(name) <= LONGEST_UNCUT:
        return [f"{name}-reattach-ReattachRole-*"]
    roles = ["BackupPolicy", "GlobalSettings", "PolicyTypes", "Reattach", "ServiceAccess"]
    return [f"{name[:20]}*-{role}Role-*" for role in roles]


def preferences(stack: Stack) -> dict[str, int]:
    """Returns the percentages of accounts that a StackSet works in at once, and that may fail."""
    names = {"failures": "FailureTolerancePercentage", "at_once": "MaxConcurrentPercentage"}
    values = {key: stack.parameters[name] for key, name in names.items()}
    # A value that is no number is reported with the parameters.
    return {key: int(it) if it.isdecimal() else 0 for key, it in values.items()}


def digest(files: dict[str, pathlib.Path]) -> str:
    """Returns a hash that identifies this set of files."""
    whole = hashlib.sha256()
    for name, path in sorted(files.items()):
        whole.update(name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def architecture(path: pathlib.Path) -> str | None:
    """Returns the architecture of the program in an archive of a function, if it is known."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open("bootstrap") as program:
            header = program.read(20)
    except (KeyError, zipfile.BadZipFile):
        return None
    return ARCHITECTURES.get(int.from_bytes(header[18:20], "little"))
