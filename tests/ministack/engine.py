"""What the scripts here have in common: each reads a description from standard input, does with
ministack what it says, and prints what came of it. Both are JSON.
"""

import io
import json
import shlex
import sys
import time
import zipfile

import botocore.session
from botocore.config import Config

WAIT_SECONDS = 120

told = json.load(sys.stdin)
session = botocore.session.Session()
# The account's own key: it may do everything, as the root user of an account.
session.set_credentials(told["account"], "none")


def client(service):
    return session.create_client(
        service,
        region_name=told["region"],
        endpoint_url=told["ministack"],
        config=Config(read_timeout=WAIT_SECONDS, retries={"total_max_attempts": 1}),
    )


def archive(program):
    """A function as Lambda takes it: a program called `bootstrap`."""
    file = zipfile.ZipInfo("bootstrap")
    file.external_attr = 0o755 << 16
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as it:
        # The program stays where it is: copying it takes longer than everything else.
        it.writestr(file, f"#!/bin/sh\nexec {shlex.quote(program)}\n")
    return packed.getvalue()


def create(stacks, name, template, parameters):
    """Creates a stack, and returns what it is like in the end."""
    made = stacks.create_stack(
        StackName=name,
        TemplateBody=template,
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    return over(stacks, made["StackId"])


def over(stacks, stack):
    """What a stack is like once nothing is going on in it, and why something in it failed."""
    ends = time.monotonic() + WAIT_SECONDS
    while True:
        found = stacks.describe_stacks(StackName=stack)["Stacks"][0]
        if not found["StackStatus"].endswith("IN_PROGRESS") or time.monotonic() > ends:
            break
        time.sleep(0.1)
    events = stacks.describe_stack_events(StackName=stack)["StackEvents"]
    failed = [it for it in events if "FAILED" in it["ResourceStatus"]]
    outputs = {it["OutputKey"]: it["OutputValue"] for it in found.get("Outputs", [])}
    why = [it.get("ResourceStatusReason", "") for it in failed]
    return {"status": found["StackStatus"], "why": why, "outputs": outputs}


def tell(events, event):
    """Puts an event on the default bus."""
    entry = {key: event[name] for key, name in [("Source", "source"), ("DetailType", "detail-type")]}
    sent = events.put_events(Entries=[entry | {"Detail": json.dumps(event["detail"])}])
    assert sent["FailedEntryCount"] == 0, sent
