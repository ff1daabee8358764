"""The resources of templates, and the effect of an update on them. Nothing is called here.

CloudFormation returns a template as it was deployed, and those of every release are written in one way.
Python's library has no YAML. A test compares the results with those of a YAML reader.
"""

import pathlib
import re
from dataclasses import dataclass, field

# For each type, the properties whose change replaces the resource, and those whose change may do so.
# `scripts/replacements.py` writes the file.
TEXT = pathlib.Path(__file__).with_name("replacements.tsv").read_text("utf-8")
REPLACING: dict[str, tuple[list[str], list[str]]] = {
    kind: (always.split(), sometimes.split())
    for kind, always, sometimes in (it.split("\t") for it in TEXT.splitlines()[1:])
}

# The effects of an update, in the order in which they are listed.
ADDED, DELETED, REPLACED, PERHAPS_REPLACED, PERHAPS_THERE, CHANGED = EFFECTS = [
    "added", "deleted", "replaced", "may be replaced", "may be added or deleted", "changed"
]


@dataclass(frozen=True)
class Resource:
    """A resource of a template."""

    name: str
    kind: str
    # The name of the condition under which it is made, or nothing.
    condition: str
    # The text of each property, and of everything else that it has.
    properties: dict[str, str]
    rest: str

    def has(self, policy: str) -> bool:
        """Returns `True` if this policy keeps it, as in `DeletionPolicy`."""
        return re.search(rf"^{policy}: Retain", self.rest, re.M) is not None

    @property
    def label(self) -> str:
        return f"{self.name} ({self.kind})"


@dataclass(frozen=True)
class Body:
    """The resources and the conditions of a template."""

    resources: dict[str, Resource]
    conditions: dict[str, str]


@dataclass(frozen=True)
class Effect:
    """The effect of an update on a resource."""

    name: str
    resource: Resource
    # The properties that cause it.
    properties: list[str] = field(default_factory=list)
    # True if the resource, or the one that it replaces, stays in the account without a stack.
    leaves: bool = False

    @property
    def line(self) -> str:
        cause = f": {', '.join(self.properties)}" if self.properties else ""
        old = "the old one" if self.name != DELETED else "it"
        return f"{self.name}: {self.resource.label}{cause}{f'; {old} stays' if self.leaves else ''}"


def read(text: str) -> Body:
    """Reads the resources of a template. It has none if the template is written in another way."""
    lines = [it.rstrip() for it in text.splitlines()]
    lines = [it for it in lines if it and not it.lstrip().startswith("#")]
    resources = {
        name: resource(name, blocks(body)) for name, body in blocks(section(lines, "Resources")).items()
    }
    return Body(
        {name: it for name, it in resources.items() if it.kind},
        {name: "\n".join(it) for name, it in blocks(section(lines, "Conditions")).items()},
    )


def section(lines: list[str], name: str) -> list[str]:
    """Returns the lines of a section, without the indentation that all of them have."""
    return blocks(lines).get(name, [])


def blocks(lines: list[str]) -> dict[str, list[str]]:
    """Splits lines at the keys that are not indented. The first line of each is the value beside its key."""
    found: dict[str, list[str]] = {}
    body: list[str] = []
    for line in lines:
        if key := re.match(r"([\w:.-]+):(?: +(.*))?$", line):
            body = found[key[1]] = [key[2]] if key[2] else []
        else:
            body.append(line)
    return {key: unindented(it) for key, it in found.items()}


def unindented(lines: list[str]) -> list[str]:
    width = min((len(it) - len(it.lstrip()) for it in lines if it.startswith(" ")), default=0)
    return [it[width:] if it.startswith(" ") else it for it in lines]


def resource(name: str, parts: dict[str, list[str]]) -> Resource:
    texts = {key: "\n".join(it) for key, it in parts.items()}
    properties = blocks(parts.get("Properties", []))
    rest = sorted(f"{key}: {it}" for key, it in texts.items() if key not in ["Type", "Properties"])
    return Resource(
        name,
        texts.get("Type", ""),
        texts.get("Condition", ""),
        {key: "\n".join(it) for key, it in properties.items()},
        "\n".join(rest),
    )


@dataclass(frozen=True)
class State:
    """A template with the values of its parameters."""

    body: Body
    parameters: dict[str, str]

    def makes(self, name: str) -> bool | None:
        """Returns `True` if it makes the resource of this name, and `None` if that is not known here."""
        it = self.body.resources.get(name)
        if it is None or not it.condition:
            return it is not None
        return self.holds(it.condition)

    def holds(self, condition: str) -> bool | None:
        return evaluate(parse(self.body.conditions.get(condition, "")), self)


def compare(before: State, after: State, unknown: set[str]) -> list[Effect]:
    """Returns the effect of an update on each resource. The values of the unknown parameters may differ."""
    changed = unknown | {
        name for name, it in after.parameters.items() if before.parameters.get(name, it) != it
    }
    everything = before.body.resources | after.body.resources
    conditions = affected(before, after, changed)
    # A resource that refers to a replaced one changes with it.
    replaced: set[str] = set()
    while True:
        found = [
            effect for name in everything
            if (effect := effect_on(name, before, after, conditions, changed, replaced))
        ]
        more = {it.resource.name for it in found if it.name in [REPLACED, PERHAPS_REPLACED]}
        if more == replaced:
            return sorted(found, key=lambda it: (EFFECTS.index(it.name), it.resource.name))
        replaced = more


def effect_on(
    name: str, before: State, after: State, conditions: set[str], changed: set[str], replaced: set[str]
) -> Effect | None:
    old, new = before.body.resources.get(name), after.body.resources.get(name)
    match before.makes(name), after.makes(name):
        case (False, False):
            return None
        case (False, True):
            return Effect(ADDED, new)
        case (True, False):
            return Effect(DELETED, old, leaves=old.has("DeletionPolicy"))
        case (None, _) | (_, None) if not old or not new or new.condition in conditions:
            it = new or old
            return Effect(PERHAPS_THERE, it, [it.condition])
        case (None, False) | (False, None):
            return None
        case _:
            return effect_on_both(old, new, conditions, changed, replaced)


def effect_on_both(
    old: Resource, new: Resource, conditions: set[str], changed: set[str], replaced: set[str]
) -> Effect | None:
    leaves = new.has("UpdateReplacePolicy")
    if old.kind != new.kind:
        return Effect(REPLACED, new, ["Type"], leaves)
    certain, possible = [], []
    for name in sorted({*old.properties, *new.properties}):
        was, will = old.properties.get(name), new.properties.get(name)
        if was != will:
            (certain if plain(was) and plain(will) else possible).append(name)
        elif mentions(will or "", changed):
            (possible if "!If" in (will or "") else certain).append(name)
        elif mentions(will or "", replaced) or names_condition(will or "", conditions):
            possible.append(name)
    touched = sorted([*certain, *possible])
    always, sometimes = REPLACING.get(new.kind, ([], sorted({*old.properties, *new.properties})))
    if cause := [it for it in certain if it in always]:
        return Effect(REPLACED, new, cause, leaves)
    if cause := [it for it in touched if it in [*always, *sometimes]]:
        return Effect(PERHAPS_REPLACED, new, cause, leaves)
    return Effect(CHANGED, new, touched) if touched or old.rest != new.rest else None


def plain(text: str | None) -> bool:
    """Returns `True` for a value that is written out and depends on nothing."""
    return text is not None and not re.search(r"[!$\n{\[]", text)


def mentions(text: str, names: set[str]) -> bool:
    """Returns `True` if a text refers to a parameter or a resource of one of these names."""
    found = re.findall(r"!Ref ([\w:]+)|\$\{([\w:]+)|!GetAtt (\w+)", text)
    return any(name in names for it in found for name in it if name)


def names_condition(text: str, names: set[str]) -> bool:
    """Returns `True` if a text depends on one of these conditions."""
    return "!If" in text and any(re.search(rf"\b{re.escape(name)}\b", text) for name in names)


def affected(before: State, after: State, changed: set[str]) -> set[str]:
    """Returns the conditions that hold in one of two states only, or may do so."""
    known, found = after.body.conditions, set()
    for name, text in known.items():
        was, will = before.holds(name), after.holds(name)
        if was is None or will is None:
            is_touched = mentions(text, changed) or before.body.conditions.get(name) != text
        else:
            is_touched = was != will
        if is_touched:
            found.add(name)
    while more := {
        name for name, text in known.items()
        if found & set(re.findall(r"!Condition (\w+)", text)) and after.holds(name) is None
    } - found:
        found |= more
    return found


# Conditions and values, evaluated as far as they depend on parameters only.

TOKENS = re.compile(r"""!\w+|[\[\],]|"(?:[^"\\]|\\.)*"|'[^']*'|[^\s,\[\]]+""")
# A variable of `!Sub`.
VARIABLE = r"\$\{([\w:]+)\}"
# A scalar, a list, or a function with its argument.
Node = str | list | tuple[str, object]


def parse(text: str) -> Node:
    """Reads a condition or a value, as in `!Not [!Equals [!Ref Name, ""]]`, or with a list below it."""
    if "\n- " in text:
        head, *parts = text.split("\n- ")
        text = f"{head} [{', '.join(' '.join(it.split()) for it in parts)}]"
    tokens = TOKENS.findall(text)
    node = value(tokens)
    return node if not tokens else ""


def value(tokens: list[str]) -> Node:
    token = tokens.pop(0) if tokens else ""
    if token.startswith("!"):
        return (token[1:], value(tokens))
    if token != "[":
        return token[1:-1] if token[:1] in ["'", '"'] else token
    items = []
    while tokens and tokens[0] != "]":
        items.append(value(tokens))
        if tokens and tokens[0] == ",":
            tokens.pop(0)
    if tokens:
        tokens.pop(0)
    return items


def evaluate(node: Node, state: State) -> object:
    """Returns the value of a node, or `None` if it is not known."""
    if isinstance(node, list):
        return [evaluate(it, state) for it in node]
    if isinstance(node, str):
        return node
    name, inner = node
    it = evaluate(inner, state)
    parts = it if isinstance(it, list) else [it]
    match name:
        case "Ref":
            return state.parameters.get(str(it))
        case "Sub" if isinstance(it, str):
            texts = [state.parameters.get(key) for key in re.findall(VARIABLE, it)]
            return None if None in texts else re.sub(VARIABLE, lambda _: texts.pop(0) or "", it)
        case "If" if len(parts) == 3:
            holds = state.holds(str(parts[0]))
            return None if holds is None else parts[1 if holds else 2]
        case "Condition":
            return state.holds(str(it))
        case "Not" if len(parts) == 1:
            return None if parts[0] is None else not parts[0]
        case "And" if False in parts:
            return False
        case "Or" if True in parts:
            return True
        case "And" | "Or":
            return None if None in parts else name == "And"
        case "Equals" if len(parts) == 2 and None not in parts:
            return parts[0] == parts[1]
        # The value of a list is its elements with commas between them.
        case "Join" if len(parts) == 2 and isinstance(parts[0], str) and isinstance(parts[1], str):
            return parts[1].replace(",", parts[0])
        case "Select" if len(parts) == 2 and isinstance(parts[1], str) and str(parts[0]).isdecimal():
            items = parts[1].split(",")
            return items[int(parts[0])] if int(parts[0]) < len(items) else None
        case _:
            return None
