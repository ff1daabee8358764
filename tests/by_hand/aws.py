#!/usr/bin/env python3
"""Stands for the AWS CLI where a page says what to type: its words, by the models that it has as well.

usage: aws SERVICE OPERATION [--OPTION [VALUE]]... [--profile NAME] [--query EXPRESSION] [--output json|text]

What the model of the operation does not have is refused, as the AWS CLI does.
"""

import json
import pathlib
import sys
from typing import Any

import jmespath
from botocore import xform_name
from botocore.session import Session


def main(service: str, operation: str, *words: str) -> None:
    given = read(list(words))
    session = Session(profile=given.pop("profile", None))
    client = session.create_client(service)
    method = operation.replace("-", "_")
    name = client.meta.method_to_api_mapping[method]
    members = client.meta.service_model.operation_model(name).input_shape.members
    known = {xform_name(it, "-"): it for it in members}
    query, output = given.pop("query", None), given.pop("output", "json")
    unknown = sorted(set(given) - set(known))
    if unknown:
        sys.exit(f"aws {service} {operation} has no option --{unknown[0]}")
    request = {known[it]: value(text, members[known[it]]) for it, text in given.items()}
    answer = getattr(client, method)(**request)
    answer.pop("ResponseMetadata")
    found = jmespath.search(query, answer) if query else answer
    show(found, output)


def read(words: list[str]) -> dict[str, str | None]:
    """Returns the options with their values; one that only is there has none."""
    given: dict[str, str | None] = {}
    while words:
        option = words.pop(0)
        if not option.startswith("--"):
            sys.exit(f"`{option}` is no option")
        has_value = bool(words) and not words[0].startswith("--")
        given[option.removeprefix("--")] = words.pop(0) if has_value else None
    return given


def value(text: str | None, shape: Any) -> Any:
    if shape.type_name == "boolean":
        return text is None or text == "true"
    if text is None:
        sys.exit(f"{shape.name} needs a value")
    if text.startswith("file://"):
        text = pathlib.Path(text.removeprefix("file://")).read_text("utf-8")
    return text if shape.type_name == "string" else json.loads(text)


def show(found: Any, output: str) -> None:
    if output == "text":
        rows = found if isinstance(found, list) else [found]
        for it in rows:
            print("\t".join(map(str, it)) if isinstance(it, list) else it)
    else:
        print(json.dumps(found, indent=4, default=str))


if __name__ == "__main__":
    main(*sys.argv[1:])
