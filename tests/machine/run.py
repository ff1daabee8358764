"""Has ministack run the state machine of member accounts with the real function.

Reads a description from standard input, sends the function its event, waits for the execution that
this starts, and prints what came of it. Everything is JSON.
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
session.set_credentials(told["account"], "none")


def client(service):
    return session.create_client(
        service,
        region_name=told["region"],
        endpoint_url=told["ministack"],
        config=Config(read_timeout=WAIT_SECONDS, retries={"total_max_attempts": 1}),
    )


def archive():
    """The function as Lambda takes it: a program called `bootstrap`."""
    file = zipfile.ZipInfo("bootstrap")
    file.external_attr = 0o755 << 16
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as it:
        # The program stays where it is: copying it takes longer than everything else.
        it.writestr(file, f"#!/bin/sh\nexec {told['binary']}\n")
    return packed.getvalue()


s3, functions, machines = client("s3"), client("lambda"), client("stepfunctions")
name, bucket = "member-accounts", "state"
role = f"arn:aws:iam::{told['account']}:role/anything"
machine = f"arn:aws:states:{told['region']}:{told['account']}:stateMachine:{name}"

s3.create_bucket(Bucket=bucket)
function = functions.create_function(
    FunctionName=name,
    Runtime="provided.al2023",
    Handler="bootstrap",
    Role=role,
    Timeout=60,
    Code={"ZipFile": archive()},
    Environment={
        "Variables": {
            "STATE_BUCKET": bucket,
            "STATE_MACHINE_ARN": machine,
            "BATCHES_ABOVE": "0",
            **told["endpoints"],
        }
    },
)["FunctionArn"]

with open(told["definition"], encoding="utf-8") as file:
    definition = file.read()
values = {"Partition": "aws", "StateBucket": bucket, "FunctionArn": function}
for placeholder, value in values.items():
    definition = definition.replace("${%s}" % placeholder, value)
made = machines.create_state_machine(name=name, definition=definition, roleArn=role)
assert made["stateMachineArn"] == machine, made

invoked = functions.invoke(FunctionName=name, Payload=json.dumps(told["event"]))
answered = json.load(invoked["Payload"])
assert "FunctionError" not in invoked, answered

executions = machines.list_executions(stateMachineArn=machine)["executions"]
ends = time.monotonic() + WAIT_SECONDS
results = []
for it in executions:
    while True:
        execution = machines.describe_execution(executionArn=it["executionArn"])
        if execution["status"] != "RUNNING" or time.monotonic() > ends:
            break
        time.sleep(0.1)
    results.append({key: execution.get(key) for key in ("status", "input", "error", "cause")})

keys = [it["Key"] for it in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
objects = {it: s3.get_object(Bucket=bucket, Key=it)["Body"].read().decode() for it in keys}
json.dump({"answered": answered, "executions": results, "objects": objects}, sys.stdout)
