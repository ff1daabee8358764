"""Checks a parameter file against the templates that it is for."""

import difflib
import json
import pathlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

import schedule
from template import Parameter, Template, as_text

# Parameters that mean the same in every template. They stand once, at the top of the file.
SHARED = """
    AdministratorRoleArns Architecture BackupRoleName CentralAccountId CentralRecoveryRoleName
    CentralRestoreRoleName CentralRoleName CentralVaultArn CentralVaultName CopyRoleName CoverageRoleName
    ExcludeAccounts LogLevel LogRetentionDays MemberAccountsRoleName MemberRoleName NotificationEmail
    NotifySuccess OrganizationId OrganizationalUnitIds OtherRegions PolicyTypes RecoveryRoleName
    RestoreRoleName VaultName
""".split()

# Parameters that follow from others. They are not in the file, and neither are the versions of
# artifacts.
DERIVED = """
    ArtifactBucket ArtifactPrefix BootstrapStackName BusArn ContentUrl CoverageRoleArn HomeRegion
    ManagementAccountId MemberAccountsRoleArn MembersStackName PolicyBucket ReattachAccountId StateWriterRoleArns
""".split()

# The tables of templates: those that are always deployed, and those that are deployed if the file
# has their table.
ALWAYS = ["bootstrap", "rollout", "members", "reattach", "event-forwarder"]
BY_TABLE = """
    backup-policies delegated-policies coverage delegation guardrails audit restore-testing monitoring
""".split()
OTHER_TABLES = ["Buckets", "Profiles", "Tags", "policies"]
# Lists at the top of the file that are not parameters of a template.
LISTS = ["AccountIds", "NewRegions", "NewResourceTypes"]

# The keys of tables that may be deployed outside the management account and the Region of the stacks.
MOVABLE = {
    "audit": ["AccountId", "DeployRegions", "Buckets"],
    "restore-testing": ["AccountId", "DeployRegions", "Buckets"],
    "monitoring": ["AccountId", "DeployRegions", "Buckets"],
    # Each of [[policies]] names its account.
    "delegated-policies": ["Buckets"],
}

# Patterns, and the messages for values that do not match.
ACCOUNT = (r"[0-9]{12}", "must be the ID of an account, which has twelve digits")
BUCKET = (r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "must be the name of a bucket")
PROFILE = (r"\S+", "must be the name of a profile of the AWS CLI")
REGION = (r"[a-z]{2,4}(-[a-z]+)+-[0-9]", "must be the code of a Region, like eu-central-1")
RESOURCE_TYPE = (
    r"arn:[a-z-]+:[a-z0-9-]+:\*:\*:[A-Za-z0-9-]+[/:]\*",
    "must be the ARN of every resource of a type, like arn:aws:ec2:*:*:volume/*",
)
STACK = (r"[A-Za-z][A-Za-z0-9-]*", "must be letters, digits and hyphens, a letter first")
TAG_KEY = (r"(?!aws:)[\w .:/=+@-]{1,128}", "must be the key of a tag, which does not begin with `aws:`")
TAG_VALUE = (r"[\w .:/=+@-]{0,256}", "must be the value of a tag")
TOP = {"ManagementAccountId": ACCOUNT, "Region": REGION, "StackName": STACK}


def rows(name: str) -> tuple[str, list[list[str]]]:
    """Reads a list of what AWS offers. Returns the day of the list, and its rows."""
    text = pathlib.Path(__file__).with_name(name).read_text("utf-8")
    head, *rows = [line.split("\t") for line in text.splitlines()]
    return head[1], rows


# The Regions of AWS. Each has a word that says if logically air-gapped vaults exist there (`yes`,
# `no` or `unknown`), and one that says if accounts have it without enabling it.
# `scripts/regions.py` writes the file.
REGIONS_AS_OF, REGIONS = rows("regions.tsv")
AIR_GAPPED = {region: exist for region, _, exist, _ in REGIONS}
ALWAYS_ENABLED = {region for region, *_, enabled in REGIONS if enabled == "always"}

# The types of resources that a policy may name, with the part of their ARNs after the partition.
TYPES_AS_OF, TYPES = rows("types.tsv")
RESOURCE_TYPES = [name for name, _ in TYPES]

# The greatest lengths of stack names, and of the names that templates make from the name of their
# stack.
LONGEST_STACK = 128
LONGEST = {
    "AliasName": 256,
    "DashboardName": 255,
    "LogGroupName": 512,
    "PolicyName": 255,
    # A stack set itself may have 128, but its stacks are named `StackSet-NAME-UUID` and may not
    # have more.
    "StackSetName": 82,
    "StateMachineName": 80,
}

# The greatest number of OUs in one call to StackSets.
MOST_UNITS = 50
# The greatest number of tags on a stack.
MOST_TAGS = 50
# The greatest number of delegated administrators of AWS Backup.
MOST_ADMINISTRATORS = 5
# The number of places that the templates have for tags of plans and of backups.
MOST_POLICY_TAGS = 3
POLICY_TAGS = ["BackupPlanTags", "RecoveryPointTags"]

# The variables of a document, which are written `${…}`.
VARIABLE = re.compile(r"\$\{([^{}]*)\}")


@dataclass
class Problem:
    """A problem with a key of the parameter file."""

    key: tuple[str, ...]
    text: str
    # True if the key is only missing, so that it can be asked for.
    missing: bool = False
    # True if an archive is not built yet.
    unbuilt: bool = False
    is_list: bool = False

    @property
    def name(self) -> str:
        *tables, last = self.key
        return f"[{'.'.join(tables)}] {last}" if tables else last

    def __str__(self) -> str:
        return f"{self.name}: {self.text}"


class Parameters:
    """The values of a parameter file, and the problems with them."""

    def __init__(
        self, values: dict, templates: dict[str, Template], folder: pathlib.Path
    ) -> None:
        self.values, self.templates, self.folder = values, templates, folder
        self.problems: list[Problem] = []
        for key, value in values.items():
            self.look_at(key, value)
        self.look_across()

    def problem(self, key: Iterable[str], text: str, **more: bool) -> None:
        """Notes a problem with a key, unless it has one already."""
        if not any(it.key == tuple(key) for it in self.problems):
            self.problems.append(Problem(tuple(key), text, **more))

    def missing(self, key: Iterable[str], what: str, *, is_list: bool = False) -> None:
        self.problem(key, f"is missing; it {what}", missing=True, is_list=is_list)

    def table(self, name: str) -> dict:
        found = self.values.get(name, {})
        return found if isinstance(found, dict) else {}

    def items(self, name: str) -> list:
        found = self.values.get(name, [])
        return found if isinstance(found, list) else []

    def policies(self) -> list[dict]:
        return [it for it in self.items("policies") if isinstance(it, dict)]

    def top(self, name: str, default: str = "") -> str:
        """Returns the value of a key at the top that is no parameter of a template."""
        if name not in self.values and not default:
            self.missing([name], TOP[name][1])
        return as_text(self.values.get(name, default))

    def shared(self, name: str) -> Parameter:
        """Returns a parameter of several templates, if possible from one that requires a value."""
        alike = [it.parameters[name] for it in self.templates.values() if name in it.parameters]
        return min(alike, key=lambda it: it.default is not None)

    def value_of_shared(self, name: str) -> str:
        return as_text(self.values.get(name, self.shared(name).default or ""))

    # Looking at each key.

    def look_at(self, key: str, value: object) -> None:
        if key in SHARED:
            if fault := self.shared(key).fault(value):
                self.problem([key], fault)
            self.look_at_regions([key], value)
        elif key in TOP:
            self.shape([key], value, TOP[key])
            self.look_at_regions([key], value)
        elif key == "AccountIds":
            self.look_at_list([key], value, ACCOUNT, "IDs of accounts")
        elif key == "NewRegions":
            self.look_at_list([key], value, REGION, "Regions")
        elif key == "NewResourceTypes":
            self.look_at_list([key], value, RESOURCE_TYPE, "types of resources")
        elif key == "policies":
            self.look_at_policies(value)
        elif key in [*ALWAYS, *BY_TABLE, *OTHER_TABLES]:
            if isinstance(value, dict):
                self.look_at_table(key, value)
            else:
                self.problem([key], f"must be a table, [{key}]")
        else:
            known = [*SHARED, *TOP, *LISTS, *ALWAYS, *BY_TABLE, *OTHER_TABLES]
            self.unknown([key], known)

    def look_at_table(self, table: str, values: dict) -> None:
        for key, value in values.items():
            if table == "Buckets":
                self.look_at_bucket([table], key, value)
            elif table == "Profiles":
                self.shape([table, key], key, ACCOUNT)
                self.shape([table, key], value, PROFILE)
            elif table == "Tags":
                self.shape([table, key], key, TAG_KEY)
                self.shape([table, key], value, TAG_VALUE)
            elif key in MOVABLE.get(table, []):
                self.look_at_place(table, key, value)
            else:
                self.look_at_parameter([table], table, key, value)

    def look_at_bucket(self, at: list[str], region: str, bucket: object) -> None:
        self.shape([*at, region], region, REGION)
        self.look_at_region([*at, region], region)
        self.shape([*at, region], bucket, BUCKET)

    def look_at_place(self, table: str, key: str, value: object) -> None:
        if key == "AccountId":
            self.shape([table, key], value, ACCOUNT)
        elif key == "DeployRegions":
            self.look_at_list([table, key], value, REGION, "Regions")
            self.look_at_regions([table, key], value)
        elif isinstance(value, dict):
            for region, bucket in value.items():
                self.look_at_bucket([table, key], region, bucket)
        else:
            self.problem([table, key], f"must be a table, [{table}.Buckets]")

    def look_at_parameter(self, at: list[str], template: str, key: str, value: object) -> None:
        known = self.templates[template].parameters
        derived = [*DERIVED, *self.templates[template].artifacts.values()]
        if key in known and key in SHARED:
            self.problem([*at, key], "belongs to the top of the file, once for all stacks")
        elif key in known and key in derived:
            self.problem([*at, key], "follows from other keys; leave it out")
        elif key not in known:
            self.unknown([*at, key], [it for it in known if it not in [*SHARED, *derived]])
        elif fault := known[key].fault(value):
            self.problem([*at, key], fault)
        else:
            self.look_at_regions([*at, key], value)

    def look_at_policies(self, policies: object) -> None:
        if not isinstance(policies, list) or not all(isinstance(it, dict) for it in policies):
            self.problem(["policies"], "must be tables, each [[policies]]")
            return
        names: dict[str, int] = {}
        for number, policy in enumerate(policies, 1):
            at = ["policies", str(number)]
            for key, value in policy.items():
                if key == "Document":
                    self.look_at_document([*at, key], value, policy.get("Variables"))
                elif key == "AccountId":
                    self.shape([*at, key], value, ACCOUNT)
                elif key == "Variables":
                    self.look_at_variables([*at, key], value)
                else:
                    self.look_at_parameter(at, "backup-policy", key, value)
            if "Document" not in policy:
                self.missing([*at, "Document"], "must be the path of a policy document")
            first = names.setdefault(slug(as_text(policy.get("PolicyName", at))), number)
            if first != number:
                text = f"is too similar to that of number {first}: both give the same name of a stack"
                self.problem([*at, "PolicyName"], text)

    def look_at_document(self, key: list[str], path: object, variables: object) -> None:
        try:
            parsed = json.loads((self.folder / str(path)).read_bytes())
        except OSError as error:
            self.problem(key, f"`{path}` cannot be read: {error.strerror}")
        except ValueError as error:
            self.problem(key, f"`{path}` must be JSON: {error}")
        else:
            if not isinstance(parsed, dict):
                self.problem(key, f"`{path}` must be a JSON object")
            parsed = with_values(parsed, variables if isinstance(variables, dict) else {})
            self.look_at_names(key, parsed)
            for it in found(parsed, "plans", "*", "rules", "*", "schedule_expression", "*"):
                if not VARIABLE.search(it) and (fault := schedule.fault(it)):
                    self.problem(key, f"`{it}` {fault}")

    def look_at_variables(self, key: list[str], value: object) -> None:
        if not isinstance(value, dict):
            self.problem(key, "must be a table, as in { Vault = \"ours\" }")
            return
        for name, it in value.items():
            texts = it if isinstance(it, list) else [it]
            if not all(isinstance(text, str) for text in texts):
                self.problem([*key, name], "must be text, or a list of texts")

    def look_at_names(self, key: list[str], document: object) -> None:
        """Looks at the Regions and the types of resources that a policy names."""
        for it in found(document, "plans", "*", "regions", "*"):
            self.look_at_region(key, it)
        copies = ["plans", "*", "rules", "*", "copy_actions"]
        for it in found(document, *copies):
            self.look_at_arn(key, it)
        for it in found(document, *copies, "*", "target_backup_vault_arn", "*"):
            self.look_at_arn(key, it)
        for kinds in ["resource_types", "not_resource_types"]:
            for it in found(document, "plans", "*", "selections", "resources", "*", kinds, "*"):
                self.look_at_type(key, it)

    def look_at_list(
        self, key: list[str], value: object, shape: tuple[str, str], what: str
    ) -> None:
        if not isinstance(value, list) or not value:
            self.problem(key, f"must be a list of {what}")
            return
        for it in value:
            self.shape(key, it, shape)

    def look_at_regions(self, key: list[str], value: object) -> None:
        """Looks at the Regions in the value of a key, if its name says that it has any."""
        values = [as_text(it) for it in (value if isinstance(value, list) else [value])]
        if key[-1].endswith(("Region", "Regions")):
            for it in values:
                self.look_at_region(key, it)
        elif key[-1].endswith("Arn"):
            for it in values:
                self.look_at_arn(key, it)

    def look_at_arn(self, key: list[str], arn: str) -> None:
        if not VARIABLE.search(arn):
            self.look_at_region(key, arn.split(":")[3] if arn.count(":") > 3 else "")

    def look_at_region(self, key: list[str], region: str) -> None:
        """Refuses a Region that does not exist, which AWS would find halfway through a deployment."""
        known = ["", "*", "$region", *AIR_GAPPED, *self.items("NewRegions")]
        if region in known or VARIABLE.search(region):
            return
        text = f"`{region}` is not in the list of Regions of {REGIONS_AS_OF}"
        self.problem(
            key, f"{text}{meant(region, AIR_GAPPED)} Name a Region that is newer under NewRegions"
        )

    def look_at_type(self, key: list[str], arn: str) -> None:
        """Refuses a type that does not exist, which AWS would find after it made everything before."""
        if arn == "*" or arn in self.items("NewResourceTypes"):
            return
        _, partition, name = [*arn.split(":", 2), "", ""][:3]
        if name not in RESOURCE_TYPES:
            known = [f"arn:{partition}:{it}" for it in RESOURCE_TYPES]
            text = f"`{arn}` is not in the list of types of resources of {TYPES_AS_OF}"
            text = f"{text}{meant(arn, known)} Name a type that is newer under NewResourceTypes"
            self.problem(key, text)

    def shape(self, key: list[str], value: object, shape: tuple[str, str]) -> None:
        pattern, what = shape
        if type(value) is int and re.fullmatch(pattern, str(value)):
            self.problem(key, f'is a number, and an ID is text; add quotes: "{value}"')
        elif not isinstance(value, str) or not re.fullmatch(pattern, value):
            self.problem(key, f"`{as_text(value)}` {what}")

    def unknown(self, key: list[str], known: list[str]) -> None:
        close = difflib.get_close_matches(key[-1], known, n=1)
        owners = [it for it in [*ALWAYS, *BY_TABLE] if key[-1] in self.templates[it].parameters]
        if key[-1] in SHARED:
            text = "is not known here; it belongs to the top of the file"
        elif owners:
            text = f"is not known here; it belongs in {' or '.join(f'[{it}]' for it in owners)}"
        else:
            text = "is not known" + (f"; is `{close[0]}` meant?" if close else "")
        self.problem(key, text)

    # Looking at keys together.

    def look_across(self) -> None:
        if "OrganizationId" not in self.values:
            self.missing(["OrganizationId"], self.shared("OrganizationId").constraint)
        if self.values.get("Region") in self.items("OtherRegions"):
            text = f"`{self.values['Region']}` is the Region of the stacks already"
            self.problem(["OtherRegions"], text)
        if len(self.items("OrganizationalUnitIds")) > MOST_UNITS:
            text = f"StackSets accepts at most {MOST_UNITS} units; name those above them"
            self.problem(["OrganizationalUnitIds"], text)
        central = self.values.get("CentralAccountId")
        if central and central == self.values.get("ManagementAccountId"):
            text = "is the management account, which StackSets do not reach; name another"
            self.problem(["CentralAccountId"], text)
        if len(self.table("Tags")) > MOST_TAGS:
            self.problem(["Tags"], f"CloudFormation accepts at most {MOST_TAGS} tags")
        administrators = self.table("bootstrap").get("BackupAdministratorAccountIds", [])
        if isinstance(administrators, list) and len(administrators) > MOST_ADMINISTRATORS:
            text = f"AWS accepts at most {MOST_ADMINISTRATORS} administrators of AWS Backup"
            self.problem(["bootstrap", "BackupAdministratorAccountIds"], text)
        self.look_at_tags_and_windows()
        self.look_at_delegated_policies()
        if "backup-policies" not in self.values and "policies" not in self.values:
            text = "is missing, and [[policies]] as well; without either, nothing is backed up"
            self.problem(["backup-policies"], text)
        for table in ["rollout", "members"]:
            if table in self.values and not self.targets():
                text = "is not deployed without OrganizationalUnitIds or AccountIds; add one, or leave this out"
                self.problem([table], text)
        for key in ["VaultKeyArn", "CentralVaultKeyArn"]:
            self.look_at_key(key)

    def targets(self) -> list[str]:
        """Returns the units and accounts that vaults, policies and opt-ins go to."""
        return [as_text(it) for name in ["OrganizationalUnitIds", "AccountIds"] for it in self.items(name)]

    def look_at_tags_and_windows(self) -> None:
        """Refuses values that AWS Organizations or AWS Backup would refuse later."""
        values = self.table("backup-policies")
        for key in ["DailySchedule", "MonthlySchedule"]:
            if key in values and (fault := schedule.fault(as_text(values[key]))):
                self.problem(["backup-policies", key], f"`{as_text(values[key])}` {fault}")
        self.look_at_other_schedules()
        known = self.templates["backup-policies"].parameters
        for kind in ["Daily", "Monthly"]:
            names = [f"{kind}StartWindowMinutes", f"{kind}CompletionWindowMinutes"]
            minutes = [as_text(values.get(it, known[it].default)) for it in names]
            if all(map(str.isdecimal, minutes)) and int(minutes[1]) < int(minutes[0]) + 60:
                text = f"`{minutes[1]}` must be at least 60 more than {names[0]}, which is {minutes[0]}"
                self.problem(["backup-policies", names[1]], text)
        for key in POLICY_TAGS:
            tags = values.get(key, [])
            keys = [as_text(it).partition("=")[0].lower() for it in tags] if isinstance(tags, list) else []
            if len(keys) > MOST_POLICY_TAGS:
                text = f"the template takes at most {MOST_POLICY_TAGS}; a document of your own takes more"
                self.problem(["backup-policies", key], text)
            elif twice := [it for it in keys if keys.count(it) > 1]:
                self.problem(["backup-policies", key], f"`{twice[0]}` is in it twice")

    def look_at_other_schedules(self) -> None:
        """Refuses a schedule that AWS would refuse halfway through a deployment."""
        for table in ["reattach", "restore-testing"]:
            it = as_text(self.table(table).get("Schedule", ""))
            if it.startswith("cron(") and (fault := schedule.malformed(it)):
                self.problem([table, "Schedule"], f"`{it}` {fault}")
            elif re.match(r"rate\(0+ ", it):
                self.problem([table, "Schedule"], f"`{it}` never runs; a rate is at least 1")

    def look_at_delegated_policies(self) -> None:
        """Refuses a policy of an account that is not the one that may manage policies."""
        accounts = {as_text(it["AccountId"]) for it in self.policies() if "AccountId" in it}
        accounts.discard(as_text(self.values.get("ManagementAccountId", "")))
        delegated = self.table("delegation").get("DelegatedAccountId")
        for number, policy in enumerate(self.policies(), 1):
            at = ["policies", str(number), "AccountId"]
            account = as_text(policy.get("AccountId", ""))
            if account in accounts and account != delegated:
                text = f"`{account}` may not manage backup policies; name it as DelegatedAccountId of [delegation]"
                self.problem(at, text)
        if "delegated-policies" in self.values and not accounts:
            text = "is not deployed, since none of [[policies]] has an AccountId; leave it out"
            self.problem(["delegated-policies"], text)

    def look_at_key(self, key: str) -> None:
        """Refuses a key of one Region for vaults in others. Only a multi-Region key has its ID there."""
        rollout = self.table("rollout")
        arn = rollout.get(key)
        if not isinstance(arn, str) or arn.count(":") < 5:
            return
        if key == "VaultKeyArn":
            regions = [self.values.get("Region"), *self.items("OtherRegions")]
        else:
            regions = self.items_of(rollout, "CentralRegions") or [self.values.get("Region")]
        elsewhere = [as_text(it) for it in regions if it and it != arn.split(":")[3]]
        if elsewhere and not arn.split(":")[5].startswith("key/mrk-"):
            text = f"is not a multi-Region key, and vaults in {', '.join(elsewhere)} need a key there"
            self.problem(["rollout", key], text)

    def items_of(self, table: dict, name: str) -> list:
        found = table.get(name, [])
        return found if isinstance(found, list) else []


def with_values(node: object, values: dict) -> object:
    """Returns a part of a document with the values of its variables, as far as they are known."""

    def written(it: re.Match) -> str:
        value = values.get(it[1])
        return value if isinstance(value, str) else it[0]

    if isinstance(node, dict):
        return {VARIABLE.sub(written, name): with_values(it, values) for name, it in node.items()}
    if isinstance(node, list):
        return [with_values(it, values) for it in node]
    if not isinstance(node, str):
        return node
    # A variable that is a list stands alone.
    whole = VARIABLE.fullmatch(node)
    listed = values.get(whole[1]) if whole else None
    return listed if isinstance(listed, list) else VARIABLE.sub(written, node)


def found(node: object, *path: str) -> Iterable[str]:
    """Returns the text, the list of texts or the keys at a path of a document. `*` is every key."""
    if isinstance(node, dict) and path:
        for key, inner in node.items():
            if path[0] in ["*", key.lower()]:
                yield from found(inner, *path[1:])
    elif not path:
        texts = node if isinstance(node, dict | list) else [node]
        yield from (it for it in texts if isinstance(it, str))


def meant(name: str, known: Iterable[str]) -> str:
    """Returns a question that names the nearest known name, if one is near."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"; is `{close[0]}` meant?" if close else "."


def slug(name: str) -> str:
    """Returns a name as a part of the name of a stack."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
