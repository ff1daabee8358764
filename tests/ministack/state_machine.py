"""Runs the state machine of member accounts with the real function: sends the function its event,
waits for the execution that this starts, and tells what came of it.
"""

import json
import sys
import time

from engine import WAIT_SECONDS, archive, client, told

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
    Code={"ZipFile": archive(told["binary"])},
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
