"""Creates and deletes stacks, sends events, and tells what came of each stack."""

import json
import sys

from engine import archive, client, create, over, tell, told

s3, stacks, events = client("s3"), client("cloudformation"), client("events")
came = {}
if told.get("artifacts"):
    s3.create_bucket(Bucket="artifacts")
for key, program in told.get("artifacts", {}).items():
    s3.put_object(Bucket="artifacts", Key=key, Body=archive(program))
for key, text in told.get("files", {}).items():
    s3.put_object(Bucket="artifacts", Key=key, Body=text)
for it in told.get("deploy", []):
    came[it["name"]] = create(stacks, it["name"], it["template"], it["parameters"])
for it in told.get("tell", []):
    tell(events, it)
for name in told.get("delete", []):
    # A stack that is gone is found by its ID only.
    stack = stacks.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
    stacks.delete_stack(StackName=name)
    came[name] = over(stacks, stack)
json.dump(came, sys.stdout)
