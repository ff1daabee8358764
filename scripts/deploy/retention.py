"""Compares the retentions of rules with the locks of their vaults. Nothing is called here.

A job that asks a locked vault for less or more than its lock allows fails, every night. So such a file is
refused.
"""

import json
from dataclasses import dataclass

from parameters import Parameters, with_values
from template import as_text

# The vaults and the retentions of `backup-policies.yaml`.
SHIPPED = [
    ("", "DailyRetentionDays"),
    ("Central", "DailyCopyRetentionDays"),
    ("", "MonthlyRetentionDays"),
    ("Central", "MonthlyRetentionDays"),
]


@dataclass
class Lock:
    """The bounds of the lock of a vault, and the keys of the file that have them."""

    keys: str
    least: int
    # 0 stands for no limit.
    most: int

    def refuses(self, days: int) -> str | None:
        """Returns the reason why the lock does not allow this number of days, or `None`."""
        if days < self.least:
            return f"is less than the {self.least} days that the lock of the vault allows: {self.keys}"
        if self.most and days > self.most:
            return f"is more than the {self.most} days that the lock of the vault allows: {self.keys}"
        return None


class Retentions:
    """The retentions that the file and its documents have in each vault."""

    def __init__(self, parameters: Parameters, central: str) -> None:
        self.parameters, self.rollout = parameters, parameters.table("rollout")
        # The ARN of the central vault, if it is made here.
        self.central = central
        names = ["", "Central", "AirGapped", "CentralAirGapped"]
        self.locks = {it: lock for it in names if (lock := self.lock(it))}
        if "backup-policies" in parameters.values:
            self.look_at_shipped()
        for number, policy in enumerate(parameters.policies(), 1):
            self.look_at_document(["policies", str(number), "Document"], policy)

    def value(self, name: str) -> str:
        known = self.parameters.templates["rollout"].parameters
        return as_text(self.rollout.get(name, known[name].default))

    def lock(self, name: str) -> Lock | None:
        """Returns the lock of a vault whose parameters begin with this, or none."""
        is_gapped = name.endswith("AirGapped")
        if is_gapped:
            if not self.value(f"{name}VaultName"):
                return None
            keys = [f"{name}MinRetentionDays", f"{name}MaxRetentionDays"]
        else:
            if self.value(f"{name}LockMode") not in ["Governance", "Compliance"]:
                return None
            keys = [f"{name}LockMinRetentionDays", f"{name}LockMaxRetentionDays"]
        least, most = map(self.value, keys)
        # A value that is no number is reported with the parameters.
        if not (least.isdecimal() and most.isdecimal()):
            return None
        if int(most) and int(least) > int(most):
            self.parameters.problem(["rollout", keys[0]], f"`{least}` is more than {keys[1]}, which is {most}")
            return None
        return Lock(f"[rollout] {keys[0]}, {keys[1]}", int(least), int(most))

    def look_at_shipped(self) -> None:
        known = self.parameters.templates["backup-policies"].parameters
        values = self.parameters.table("backup-policies")
        for name, key in SHIPPED:
            # Another vault than the one that is created here has a lock that is not known here.
            lock = self.locks.get(name) if name != "Central" or self.central else None
            days = as_text(values.get(key, known[key].default))
            if lock and days.isdecimal() and (why := lock.refuses(int(days))):
                self.parameters.problem(["backup-policies", key], f"`{days}` {why}")

    def look_at_document(self, key: list[str], policy: dict) -> None:
        try:
            path = self.parameters.folder / as_text(policy.get("Document", ""))
            document = json.loads(path.read_bytes())
        except (OSError, ValueError):
            return
        document = with_values(document, self.values_of(policy))
        for plan in members(document, "plans").values():
            for rule in members(plan, "rules").values():
                self.look_at_rule(key, rule)

    def values_of(self, policy: dict) -> dict:
        """Returns the variables of a document that decide where its backups are, and its own ones."""
        own = policy.get("Variables")
        known = {
            "CentralVaultArn": self.central,
            "VaultName": self.parameters.value_of_shared("VaultName"),
        }
        return known | (own if isinstance(own, dict) else {})

    def look_at_rule(self, key: list[str], rule: object) -> None:
        """Looks at the retentions of a rule. Another policy may have those that it does not have."""
        vault = assigned(rule, "target_backup_vault_name")
        if vault == self.parameters.value_of_shared("VaultName"):
            self.hold(key, rule, "")
        gapped = assigned(rule, "target_logically_air_gapped_backup_vault_arn")
        if gapped.rpartition(":")[2] == self.value("AirGappedVaultName"):
            self.hold(key, rule, "AirGapped")
        account = as_text(self.parameters.values.get("CentralAccountId", "-"))
        for arn, copy in members(rule, "copy_actions").items():
            if arn == self.central and self.central:
                self.hold(key, copy, "Central")
            is_central = f":{account}:" in arn
            if is_central and arn.rpartition(":")[2] == self.value("CentralAirGappedVaultName"):
                self.hold(key, copy, "CentralAirGapped")

    def hold(self, key: list[str], rule: object, name: str) -> None:
        days = assigned(members(rule, "lifecycle"), "delete_after_days")
        lock = self.locks.get(name)
        if lock and days.isdecimal() and (why := lock.refuses(int(days))):
            self.parameters.problem(key, f"a rule keeps backups for {days} days, which {why}")


def members(node: object, key: str) -> dict:
    found = inner if isinstance(inner := part(node, key), dict) else {}
    return {name: it for name, it in found.items() if not name.startswith("@@")}


def part(node: object, key: str) -> object:
    """Returns the part of a document at a key, in any case."""
    parts = node.items() if isinstance(node, dict) else []
    return next((it for name, it in parts if name.lower() == key), None)


def assigned(node: object, key: str) -> str:
    leaf = part(node, key)
    return as_text(leaf.get("@@assign", "")) if isinstance(leaf, dict) else ""
