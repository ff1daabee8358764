"""Decides which accounts get a member stack. Nothing is called here.

A member stack makes a vault, a key and roles of fixed names, and leaves them behind when it is deleted.
So no member stack is deleted: the names of a new one would conflict with those of the first.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

# A name for the root of the organization, whose ID the parameter file does not need.
ROOT = "root"

# The names of resources that stay when they leave their stack. An account has each role once.
ROLES = ["BackupRoleName", "RestoreRoleName"]
KEPT_NAMES = [
    *ROLES, "VaultName", "AirGappedVaultName", "CentralVaultName", "CentralAirGappedVaultName"
]

# The keys of vaults. AWS never changes the key of a vault.
KEYS = ["VaultKeyArn", "CentralVaultKeyArn"]
# The properties of logically air-gapped vaults that AWS never changes.
SEALED = ["MinRetentionDays", "MaxRetentionDays", "Key"]

# The greatest number of accounts that a line names.
MOST_NAMES = 5


@dataclass(frozen=True)
class StackSet:
    """A StackSet, and where its stacks have to be."""

    name: str
    units: list[str]
    regions: list[str]
    # The only accounts of these units, if not all of them.
    only: list[str] = field(default_factory=list)
    # The accounts of these units that are left out.
    excluded: list[str] = field(default_factory=list)
    # Accounts besides those of the units.
    also: list[str] = field(default_factory=list)
    failures: int = 0
    at_once: int = 100
    # The template of its stacks, and the values of their parameters.
    body: str = ""
    parameters: dict[str, str] = field(default_factory=dict)

    def request(self, units: list[str]) -> dict:
        """Returns the request that makes the stacks of accounts that have none."""
        targets: dict = {"OrganizationalUnitIds": units}
        if self.only:
            targets |= {"AccountFilterType": "INTERSECTION", "Accounts": self.only}
        elif self.excluded:
            targets |= {"AccountFilterType": "DIFFERENCE", "Accounts": self.excluded}
        return self.operation(targets, self.regions)

    def request_for_accounts(self, root: str, accounts: list[str]) -> dict:
        """Returns the request for single accounts, which the API takes as a part of a unit only."""
        targets = {"OrganizationalUnitIds": [root]}
        targets |= {"AccountFilterType": "INTERSECTION", "Accounts": accounts}
        return self.operation(targets, self.regions)

    def operation(self, targets: dict, regions: list[str]) -> dict:
        return {
            "StackSetName": self.name,
            "DeploymentTargets": targets,
            "Regions": regions,
            "OperationPreferences": {
                "ConcurrencyMode": "SOFT_FAILURE_TOLERANCE",
                "FailureTolerancePercentage": self.failures,
                "MaxConcurrentPercentage": self.at_once,
                "RegionConcurrencyType": "PARALLEL",
            },
        }


@dataclass(frozen=True, order=True)
class Instance:
    """A member stack, as StackSets knows it."""

    account: str
    region: str
    # The unit by which the account was found.
    unit: str
    is_current: bool


@dataclass
class Change:
    """The change of the member stacks of a StackSet."""

    stack_set: StackSet
    # Accounts and Regions that have no stack and get one.
    new: list[tuple[str, str]]
    # The accounts among them that are in none of the units.
    single: list[str]
    # Stacks that could not be created or changed, and are tried again.
    again: list[Instance]
    # Stacks that stay because the file asks for them.
    kept: list[Instance]
    # Stacks that stay although the file no longer asks for them.
    left: list[Instance]
    # Accounts that the file names and the organization does not have.
    strangers: list[str] = field(default_factory=list)

    def lines(self, *, is_updated: bool = False) -> list[str]:
        """Describes the change. The stacks that stay may be updated with their StackSet."""
        one, many = [f" and {be} updated" if is_updated else "" for be in ["is", "are"]]
        parts = [
            ("has none and gets a stack", "have none and get a stack", self.new),
            ("could not be made last time and is tried again",
             "could not be made last time and are tried again", pairs(self.again)),
            (f"stays{one}", f"stay{many}", pairs(self.kept)),
            (f"is not asked for any more and stays{one}",
             f"are not asked for any more and stay{many}", pairs(self.left)),
        ]
        said = [
            f"{self.stack_set.name}: {len(places)} {plural if len(places) > 1 else singular}: {names(places)}"
            for singular, plural, places in parts if places
        ]
        said += [
            f"{self.stack_set.name}: {it} is not an active member of the organization and gets no stack"
            for it in self.strangers
        ]
        return [*said, f"{self.stack_set.name}: no stack is deleted"]

    def retries(self) -> list[dict]:
        """Returns the requests that try again each stack that failed, by the unit that it was made by."""
        by_place: dict[tuple[str, str], list[str]] = {}
        for it in self.again:
            by_place.setdefault((it.unit, it.region), []).append(it.account)
        requests = []
        for (unit, region), accounts in sorted(by_place.items()):
            targets = {"OrganizationalUnitIds": [unit]}
            targets |= {"AccountFilterType": "INTERSECTION", "Accounts": sorted(accounts)}
            requests.append(self.stack_set.operation(targets, [region]))
        return requests


def compare(
    stack_set: StackSet,
    accounts: Iterable[str],
    instances: list[Instance],
    also: Iterable[str] = (),
) -> Change:
    """Compares a StackSet with the active accounts of its units, single accounts besides, and its stacks."""
    chosen = set(accounts) - set(stack_set.excluded)
    if stack_set.only:
        chosen &= set(stack_set.only)
    by_unit = set(chosen)
    chosen |= set(also)
    wanted = {(account, region) for account in chosen for region in stack_set.regions}
    there = {(it.account, it.region) for it in instances}
    asked = [it for it in instances if (it.account, it.region) in wanted]
    return Change(
        stack_set,
        new=sorted(wanted - there),
        single=sorted({account for account, _ in wanted - there if account not in by_unit}),
        again=sorted(it for it in asked if not it.is_current),
        kept=sorted(it for it in asked if it.is_current),
        left=sorted(it for it in instances if (it.account, it.region) not in wanted),
    )


def pairs(instances: list[Instance]) -> list[tuple[str, str]]:
    return [(it.account, it.region) for it in instances]


def names(places: list[tuple[str, str]]) -> str:
    """Returns accounts and Regions in words, with the first accounts by their IDs."""
    accounts = sorted({account for account, _ in places})
    regions = sorted({region for _, region in places})
    more = f" and {len(accounts) - MOST_NAMES} more" if len(accounts) > MOST_NAMES else ""
    noun = "account" if len(accounts) == 1 else "accounts"
    return f"{noun} {', '.join(accounts[:MOST_NAMES])}{more} in {', '.join(regions)}"


# Changes that would lose something.


def losses(deployed: str, before: dict[str, str], after: dict[str, str], home: str) -> list[str]:
    """Returns the reasons why a deployed roll-out must not get these parameters.

    Each reason names the loss, and the way that loses nothing.
    """
    reasons = []
    if re.search(r"^ *StackInstancesGroup:", deployed, re.M):
        units = before.get("OrganizationalUnitIds", "")
        reasons.append(
            f"it was deployed by a release that had CloudFormation make the member stacks, and "
            f"CloudFormation would delete all of them in the units {units}. docs/deploy.md says under "
            f"`Upgrade` how to hand them over first"
        )
    if before.get("ManagementAccount") == "true" and after.get("ManagementAccount") == "false":
        reasons.append(
            "the management account would lose its stack, and could not get it again. Leave "
            "[rollout] ManagementAccount as it was"
        )
    for name in KEYS:
        # Earlier releases did not have this parameter, and created a key.
        if before and before.get(name, "") != after.get(name, ""):
            reasons.append(
                f"a vault keeps the key that it was made with, and one with another key would conflict "
                f"with its name. Leave [rollout] {name} as it was"
            )
    for prefix in ["AirGapped", "CentralAirGapped"]:
        vault = before.get(f"{prefix}VaultName")
        if not vault or vault != after.get(f"{prefix}VaultName"):
            continue
        for name in [f"{prefix}{it}" for it in SEALED]:
            # Earlier releases did not have this parameter.
            if name in before and before[name] != after.get(name):
                reasons.append(
                    f"AWS never changes the retention and the key of the logically air-gapped vault "
                    f"`{vault}`, and a new one would conflict with its name. Leave [rollout] {name} as it was"
                )
    for name in KEPT_NAMES:
        if (was := before.get(name)) and was != after.get(name):
            reasons.append(
                f"`{was}` would leave the stacks and stay in the accounts, where no stack could have it "
                f"again. Leave {name} as it was"
            )
    [was, will] = [
        (it.get("CentralRegions") or home).split(",")[0] for it in [before, after]
    ]
    if before.get("CentralAccountId") and was != will:
        reasons.append(
            f"the role for restore tests in the central account belongs to its stack in {was}, and the "
            f"one in {will} would conflict with its name. Leave {was} the first of [rollout] CentralRegions"
        )
    return reasons
