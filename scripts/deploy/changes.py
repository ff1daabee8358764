"""Decides the changes of a deployment, and describes them. Nothing is called here.

Compares the parameter file with the existing stacks. For a stack, it returns the parameters and resources
that change; for a StackSet, the member stacks that are created and updated.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import resources
from members import Change, StackSet, names, pairs
from plan import Plan, Stack
from resources import ADDED, DELETED, PERHAPS_REPLACED, Body, Effect, State

# A change set that was never executed leaves an empty stack.
NEW = "REVIEW_IN_PROGRESS"
# A stack that could not be created can only be deleted.
FAILED = "ROLLBACK_COMPLETE"

# Values longer than this are cut.
LONGEST_VALUE = 160
# The types of resources that hold data, which a new resource does not have.
HOLDERS = [
    "AWS::Backup::BackupVault", "AWS::Backup::LogicallyAirGappedBackupVault", "AWS::KMS::Key",
    "AWS::S3::Bucket",
]

CREATED, ANEW, CHANGES, BUILT, UNCHANGED = (
    "created", "created anew", "changed", "unchanged but for code, which is built when it is deployed",
    "unchanged",
)


@dataclass(frozen=True)
class Seen:
    """A stack as AWS has it."""

    status: str
    parameters: dict[str, str]
    tags: dict[str, str]
    template: str


@dataclass
class StackChange:
    """The change of a stack."""

    stack: Stack
    kind: str
    # The parameters that change, with their values before and after. One that is new has none before.
    parameters: list[tuple[str, str | None, str]] = field(default_factory=list)
    tags: list[tuple[str, str | None, str]] = field(default_factory=list)
    # True if functions or templates come from another build.
    code: bool = False
    effects: list[Effect] = field(default_factory=list)
    # True if the deployed template is written in a way that cannot be read here.
    unreadable: bool = False
    # The resources that stay in the account when the stack is deleted.
    stay: list[str] = field(default_factory=list)
    # The status of a stack that something else works on.
    busy: str = ""

    @property
    def place(self) -> str:
        at = f"{self.stack.name} in {self.stack.region}"
        return f"{at} of {self.stack.account}" if self.stack.is_elsewhere else at

    @property
    def lines(self) -> list[str]:
        busy = f"; another operation runs on it, and the deployment waits for it: {self.busy}" if self.busy else ""
        said = [f"{self.place}: {self.kind}{busy}"]
        said += [f"  {it}" for it in map(pair, self.parameters)]
        said += [f"  tag {it}" for it in map(pair, self.tags)]
        if self.kind == CHANGES:
            said += ["  code: another build"] if self.code else []
            said += ["  its template cannot be read, so the changed resources are unknown"] if self.unreadable else []
            has_cause = self.parameters or self.tags or self.code or self.effects or self.unreadable
            said += [] if has_cause else ["  its template changes, and no resource"]
        if self.kind in [CREATED, ANEW]:
            said += [f"  makes {many(len(self.effects), 'resource')}"]
        else:
            said += [f"  {it.line}" for it in self.effects]
        said += [f"  stay when the stack is deleted: {', '.join(self.stay)}"] if self.stay else []
        return said

    @property
    def warnings(self) -> list[str]:
        """Returns the changes that AWS may refuse."""
        before = {name: was for name, was, _ in self.parameters}
        modes = [f"{it}LockMode" for it in ["", "Central"]]
        return [
            f"{self.place}: AWS refuses this change of {name} where the compliance lock is final, and the "
            f"stacks there stay as they are"
            for name in modes if before.get(name) == "Compliance"
        ]


@dataclass
class MemberChange:
    """The change of the stacks of a StackSet."""

    # The stack that has the StackSet.
    of: StackChange
    change: Change
    # The template and the parameters that the StackSet has, or none if there is no StackSet.
    seen: tuple[str, dict[str, str]] | None

    @property
    def effects(self) -> list[Effect]:
        """Returns the effect of the deployment on the resources of each stack that there is.

        It returns none if the stack of the StackSet stays as it is, or the template cannot be read.
        """
        if self.of.kind == UNCHANGED:
            return []
        template, parameters = self.seen or ("", {})
        before = State(resources.read(as_kept(template)), parameters)
        if not before.body.resources:
            return []
        wanted = {name: as_kept(it) for name, it in self.change.stack_set.parameters.items()}
        after = State(resources.read(as_kept(self.change.stack_set.body)), wanted)
        return resources.compare(before, after, set())

    @property
    def updates(self) -> int:
        """Returns the number of stacks that are updated."""
        return len(self.change.kept) + len(self.change.left) if self.effects else 0

    @property
    def lines(self) -> list[str]:
        effects = self.effects
        each = [f"  in each stack that is there: {it.line}" for it in effects] if self.updates else []
        *said, last = self.change.lines(is_updated=bool(effects))
        return [*said, *each, last]


@dataclass
class Changes:
    """Everything that a deployment changes."""

    plan: Plan
    stacks: list[StackChange]
    # The changes of member stacks, of each StackSet.
    members: list[MemberChange] = field(default_factory=list)
    # The files that are not in their bucket yet.
    uploads: int = 0
    # The stacks that the file no longer asks for.
    left: list[str] = field(default_factory=list)
    # The reason why AWS was not read.
    unread: str = ""

    @property
    def lines(self) -> list[str]:
        said = []
        if self.unread:
            said += [f"AWS was not read: {self.unread}", "The plan below assumes that nothing is deployed yet."]
        for it in self.stacks:
            said += it.lines
        for it in self.stacks:
            said += it.warnings
        if not self.plan.is_built:
            said += ["Code: built when it is deployed."]
        elif self.uploads:
            said += [f"Code: {self.uploads} of {len(self.plan.uploads)} files are uploaded."]
        for it in self.members:
            said += it.lines
        if self.unread:
            said += [f"{it.name}: the accounts with a stack are unknown" for it in self.stack_sets]
        said += [
            f"{it}: stays, and is not in the file any more; delete it by hand"
            for it in self.left
        ]
        return said

    @property
    def stack_sets(self) -> list[StackSet]:
        return [own for it in self.plan.stacks for own in it.stack_sets]

    @property
    def summary(self) -> str:
        counts = {
            kind: sum(it.kind in kinds for it in self.stacks)
            for kind, kinds in [
                ("created", [CREATED, ANEW]), ("changed", [CHANGES]), ("unchanged", [UNCHANGED]),
                ("unchanged but for code", [BUILT]),
            ]
        }
        parts = [f"{many(count, 'stack')} {kind}" for kind, count in counts.items() if count]
        made = sum(len(it.change.new) for it in self.members)
        again = sum(len(it.change.again) for it in self.members)
        updated = sum(it.updates for it in self.members)
        for count, kind in [(made, "made"), (again, "tried again"), (updated, "updated")]:
            parts += [f"{many(count, 'member stack')} {kind}"] if count else []
        return f"Plan: {', '.join(parts)}."

    @property
    def is_empty(self) -> bool:
        """Returns `True` if a deployment would change nothing."""
        return (
            all(it.kind == UNCHANGED for it in self.stacks)
            and not self.uploads
            and not any(it.change.new or it.change.again for it in self.members)
        )

    @property
    def irreversible(self) -> list[str]:
        """Returns the changes that nobody can undo."""
        # Vaults of several stacks that are alike are printed once.
        places: dict[str, list[tuple[str, str]]] = {}
        for change in self.stacks:
            for text, of in self.locks(change):
                places.setdefault(text, []).extend(of)
        said = [text.replace(PLACES, in_words(of)) for text, of in places.items()]
        for change in self.stacks:
            said += [f"{change.place}: {it}" for it in leaving(change.effects) if change.kind == CHANGES]
        for member in self.members:
            name = member.change.stack_set.name
            said += [f"{name}, each stack: {it}" for it in leaving(member.effects) if member.updates]
        return said

    def locks(self, change: StackChange) -> Iterable[tuple[str, list[tuple[str, str]]]]:
        """Returns the locks and retentions that the vaults of a stack get, each with the places of them."""
        changed = {name for name, *_ in change.parameters}
        is_new = change.kind in [CREATED, ANEW]
        for prefix in ["", "Central"]:
            vault = {key: change.stack.parameters.get(f"{prefix}{key}", "") for key in VAULT_KEYS}
            if prefix and not change.stack.parameters.get("CentralAccountId"):
                continue
            every, new = self.places(change, prefix)
            is_locked = is_new or any(f"{prefix}{it}" in changed for it in LOCK_KEYS)
            is_gapped = is_new or any(f"{prefix}{it}" in changed for it in AIR_GAPPED_KEYS)
            if vault["LockMode"] == "Compliance" and (of := every if is_locked else new):
                yield lock(vault), of
            if vault["AirGappedVaultName"] and (of := every if is_gapped else new):
                yield air_gapped(vault), of

    def places(
        self, change: StackChange, prefix: str
    ) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """Returns the accounts and Regions of the vaults of a stack: of all of them, and of new ones."""
        stack = change.stack
        if "VaultName" not in stack.parameters or "LockMode" not in stack.parameters:
            return [], []
        if not stack.stack_sets:
            own = [] if prefix else [(stack.account, stack.region)]
            return own, []
        if self.unread:
            return [UNKNOWN_PLACE], []
        every, new = [], []
        for it in [it.change for it in self.members if it.of is change]:
            if bool(it.stack_set.only) == bool(prefix):
                every += [*it.new, *pairs([*it.again, *it.kept, *it.left])]
                new += [*it.new, *pairs(it.again)]
        if not prefix and stack.parameters.get("ManagementAccount") == "true":
            every.append((stack.account, stack.region))
        return sorted(every), sorted(new)


# The parameters of a vault, which have `Central` before them for the central one.
LOCK_KEYS = ["LockMode", "LockMinRetentionDays", "LockMaxRetentionDays", "LockChangeableForDays"]
AIR_GAPPED_KEYS = ["AirGappedVaultName", "AirGappedMinRetentionDays", "AirGappedMaxRetentionDays"]
VAULT_KEYS = ["VaultName", *LOCK_KEYS, *AIR_GAPPED_KEYS]
# Stand for the accounts and Regions of a vault: in a text, and if they could not be read.
PLACES, UNKNOWN_PLACE = "{places}", ("", "")


def in_words(places: list[tuple[str, str]]) -> str:
    return "every account and Region" if UNKNOWN_PLACE in places else names(places)


def lock(vault: dict[str, str]) -> str:
    days, most = many(int(vault["LockMinRetentionDays"]), "day"), vault["LockMaxRetentionDays"]
    return (
        f"The compliance lock of the vault `{vault['VaultName']}` of {PLACES}. The vault keeps each backup "
        f"at least {days}{'' if most == '0' else f' and at most {most}'}. "
        f"{many(int(vault['LockChangeableForDays']), 'day')} after the lock is set, nobody can take it off or "
        f"delete a backup early, AWS and the root user included"
    )


def air_gapped(vault: dict[str, str]) -> str:
    least, most = many(int(vault["AirGappedMinRetentionDays"]), "day"), vault["AirGappedMaxRetentionDays"]
    return (
        f"The retention of the logically air-gapped vault `{vault['AirGappedVaultName']}` of {PLACES}. The "
        f"vault keeps each backup at least {least} and at most {most}. Nobody can change that or delete a "
        f"backup early"
    )


def leaving(effects: list[Effect]) -> Iterable[str]:
    """Returns the resources with data that leave their stack and stay."""
    for it in effects:
        if it.leaves and it.resource.kind in HOLDERS:
            may = "may leave" if it.name == PERHAPS_REPLACED else "leaves"
            after = "the stack has an empty one" if it.name != DELETED else "no stack can take it back"
            yield f"{it.resource.label} {may} the stack and stays, with everything in it; {after}"


def change_of(stack: Stack, seen: Seen | None, *, is_built: bool) -> StackChange:
    """Returns the change of a stack. `seen` is the deployed one, or `None` if it does not exist."""
    after = State(resources.read(stack.template.text), with_region(stack, stack.parameters))
    if seen is None or seen.status in [NEW, FAILED]:
        chosen = [
            (name, None, it) for name, it in stack.parameters.items()
            if it != stack.template.parameters[name].default and name not in stack.code
        ]
        effects = resources.compare(State(Body({}, {}), {}), after, set())
        kind = ANEW if seen and seen.status == FAILED else CREATED
        return StackChange(stack, kind, chosen, effects=effects, stay=staying(effects))
    wanted = {name: as_kept(it) for name, it in stack.parameters.items()}
    if not is_built:
        wanted |= {name: it for name, it in seen.parameters.items() if name in stack.code}
    different = [
        (name, seen.parameters.get(name), it) for name, it in wanted.items()
        if seen.parameters.get(name) != it
    ]
    # A parameter that the template no longer has goes with it.
    text = as_kept(stack.template.text)
    is_same = seen.template.strip() == text.strip()
    tags = [
        (key, seen.tags.get(key), stack.tags.get(key, ""))
        for key in sorted({*seen.tags, *stack.tags}) if seen.tags.get(key) != stack.tags.get(key)
    ]
    busy = seen.status if seen.status.endswith("_IN_PROGRESS") else ""
    code = [it for it in different if it[0] in stack.code]
    chosen = [it for it in different if it[0] not in stack.code]
    if not different and not tags and is_same and not (seen.parameters.keys() - wanted.keys()):
        kind = UNCHANGED if is_built or not stack.code else BUILT
        return StackChange(stack, kind, busy=busy)
    before = State(resources.read(seen.template), with_region(stack, seen.parameters))
    change = StackChange(stack, CHANGES, chosen, tags, bool(code), busy=busy)
    change.unreadable = not before.body.resources
    if not change.unreadable:
        after = State(resources.read(text), with_region(stack, wanted))
        change.effects = resources.compare(before, after, {it[0] for it in different})
    return change


def staying(effects: list[Effect]) -> list[str]:
    kept = [it.resource for it in effects if it.name == ADDED and it.resource.has("DeletionPolicy")]
    return [it.label for it in kept if it.kind in HOLDERS]


def with_region(stack: Stack, parameters: dict[str, str]) -> dict[str, str]:
    return parameters | {"AWS::Region": stack.region}


def as_kept(text: str) -> str:
    """Returns a template or a parameter as CloudFormation does: with `?` for every character beyond ASCII."""
    return text.encode("ascii", "replace").decode()


def pair(change: tuple[str, str | None, str]) -> str:
    name, before, after = change
    return f"{name}: {short(after)}" if before is None else f"{name}: {short(before)} → {short(after)}"


def short(value: str) -> str:
    if not value:
        return '""'
    if len(value) <= LONGEST_VALUE:
        return value
    return f"{value[:LONGEST_VALUE]}… ({len(value)} characters)"


def many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
