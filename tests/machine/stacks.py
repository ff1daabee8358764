"""Has ministack enforce IAM, and does with stacks on it what is asked.

Reads a description from standard input and prints what came of each stack. Everything is JSON.
"""

import io
import json
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
        it.writestr(file, f"#!/bin/sh\nexec {program}\n")
    return packed.getvalue()


def over(stack):
    """The status of a stack once it is over, and why something in it failed."""
    ends = time.monotonic() + WAIT_SECONDS
    while True:
        status = stacks.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
        if not status.endswith("IN_PROGRESS") or time.monotonic() > ends:
            break
        time.sleep(0.1)
    events = stacks.describe_stack_events(StackName=stack)["StackEvents"]
    failed = [it for it in events if "FAILED" in it["ResourceStatus"]]
    return {"status": status, "why": [it.get("ResourceStatusReason", "") for it in failed]}


s3, stacks, events = client("s3"), client("cloudformation"), client("events")
came = {}
if told.get("artifacts"):
    s3.create_bucket(Bucket="artifacts")
for key, program in told.get("artifacts", {}).items():
    s3.put_object(Bucket="artifacts", Key=key, Body=archive(program))
for key, text in told.get("files", {}).items():
    s3.put_object(Bucket="artifacts", Key=key, Body=text)
for it in told.get("deploy", []):
    parameters = [{"ParameterKey": k, "ParameterValue": v} for k, v in it["parameters"].items()]
    made = stacks.create_stack(
        StackName=it["name"],
        TemplateBody=it["template"],
        Parameters=parameters,
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    came[it["name"]] = over(made["StackId"])
for it in told.get("tell", []):
    entry = {"Source": it["source"], "DetailType": it["detail-type"], "Detail": json.dumps(it["detail"])}
    sent = events.put_events(Entries=[entry])
    assert sent["FailedEntryCount"] == 0, sent
for name in told.get("delete", []):
    stack = stacks.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
    stacks.delete_stack(StackName=name)
    came[name] = over(stack)
json.dump(came, sys.stdout)
