"""Reads the parameters of CloudFormation templates, and the names that they make."""

import pathlib
import re
from dataclasses import dataclass, field


# The words for the kinds of artifacts in the names of the parameters that have their versions.
KINDS = {".zip": "", ".asl.json": "Definition", ".yaml": "Template"}


@dataclass
class Parameter:
    """A parameter of a template, with the bounds that CloudFormation checks its values against."""

    name: str
    type: str = "String"
    default: str | None = None
    pattern: str | None = None
    allowed: list[str] = field(default_factory=list)
    least: int | None = None
    most: int | None = None
    constraint: str = ""

    @property
    def is_list(self) -> bool:
        return self.type == "CommaDelimitedList"

    def fault(self, value: object) -> str | None:
        """Returns the problem with a value, if it has one."""
        if self.is_list != isinstance(value, list):
            return 'must be a list, as in ["…"]' if self.is_list else "must be one value, not a list"
        if value == [] and self.pattern and not re.fullmatch(self.pattern, ""):
            return f"must not be empty; it {self.constraint}"
        values = value if isinstance(value, list) else [value]
        return next((fault for it in values if (fault := self.fault_of_one(it))), None)

    def fault_of_one(self, value: object) -> str | None:
        if not isinstance(value, str | int):
            return f"must be text, a number, true or false, and is `{value}`"
        text = as_text(value)
        # Text that looks like a number is compared as text. As a number it would lose its leading
        # zeros.
        if type(value) is int and "[0-9]{12}" in (self.pattern or ""):
            return f'`{text}` is a number, and an ID is text; add quotes: "{text}"'
        if self.is_list and "," in text:
            return f"`{text}` has a comma; write each element by itself"
        if self.allowed and text not in self.allowed:
            return f"`{text}` must be one of {', '.join(self.allowed)}"
        if self.type == "Number" and not re.fullmatch("[0-9]+", text):
            return f"`{text}` must be a number"
        if self.least is not None and int(text) < self.least:
            return f"`{text}` must be at least {self.least}"
        if self.most is not None and int(text) > self.most:
            return f"`{text}` must be at most {self.most}"
        if self.pattern and not re.fullmatch(self.pattern, text):
            return f"`{text}` {self.constraint}"
        return None


@dataclass
class Template:
    """A template."""

    name: str
    path: pathlib.Path
    text: str
    parameters: dict[str, Parameter]
    # The sentence of its description about everything that a deleted stack leaves.
    leaves: str
    # The files that it takes from the bucket of artifacts, each with the parameter that has its version.
    artifacts: dict[str, str]
    # The names that it makes from the name of its stack, each with the property that has it.
    names: list[tuple[str, str]]


def as_text(value: object) -> str:
    """Returns a value as CloudFormation takes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(as_text, value)) if isinstance(value, list) else str(value)


def read(path: pathlib.Path) -> Template:
    """Reads a template of ours, all of which are written in one way.

    Python's library has no YAML. A test compares the results with those of a YAML reader.
    """
    text = path.read_text("utf-8")
    description = re.search(r"^Description: >-\n((?:  .*\n)+)", text, re.M)
    words = " ".join(description[1].split()) if description else ""
    leaves = re.search(r"(?:Deleting it|After it is deleted,).*$", words)
    parameters: dict[str, Parameter] = {}
    section = re.search(r"^Parameters:\n((?: .*\n|\n)+)", text, re.M)
    for line in section[1].splitlines() if section else []:
        if name := re.fullmatch(r"  (\w+):", line):
            current = parameters[name[1]] = Parameter(name[1])
        elif entry := re.fullmatch(r"    (\w+): (.+)", line):
            describe(current, entry[1], entry[2])
    found = sorted(set(re.findall(r"\$\{ArtifactPrefix\}([\w.-]+)", text)))
    artifacts = {it: version_of(it) for it in found}
    names = re.findall(r"^ {6}(\w+Name): !(?:Ref|Sub) (.*AWS::StackName.*)$", text, re.M)
    left = leaves[0] if leaves else ""
    return Template(path.stem, path, text, parameters, left, artifacts, names)


def version_of(artifact: str) -> str:
    """Returns the name of the parameter that has the version of an artifact."""
    suffix = next(it for it in KINDS if artifact.endswith(it))
    words = artifact.removesuffix(suffix).split("-")
    return "".join(map(str.capitalize, words)) + KINDS[suffix] + "Version"


def describe(parameter: Parameter, key: str, value: str) -> None:
    scalar = value.removeprefix('"').removesuffix('"')
    match key:
        case "Type":
            parameter.type = scalar
        case "Default":
            parameter.default = scalar
        case "AllowedPattern":
            parameter.pattern = scalar
        case "AllowedValues":
            parameter.allowed = [it.strip(' "') for it in value.strip("[]").split(",")]
        case "MinValue":
            parameter.least = int(scalar)
        case "MaxValue":
            parameter.most = int(scalar)
        case "ConstraintDescription":
            parameter.constraint = scalar
