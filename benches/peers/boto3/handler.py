"""A custom resource for a backup policy, as it is usually written with boto3.

It makes the calls that the Boto3 documentation names for the job, and none of the checks that ours
makes. PAUSE is the number of seconds that it sleeps after each attachment, as published handlers
do.
"""

import json
import os
import time
import urllib.request

import boto3

PAUSE = float(os.environ.get("PAUSE", "0"))

organizations = boto3.client("organizations")


def pages(operation, key, **arguments):
    for page in organizations.get_paginator(operation).paginate(**arguments):
        yield from page[key]


def create(properties):
    made = organizations.create_policy(
        Name=properties["Name"],
        Description="A backup policy.",
        Content=json.dumps(properties["Content"]),
        Type="BACKUP_POLICY",
    )
    policy = made["Policy"]["PolicySummary"]["Id"]
    for target in properties["TargetIds"]:
        organizations.attach_policy(PolicyId=policy, TargetId=target)
        time.sleep(PAUSE)
    return policy


def update(policy, properties):
    known = organizations.describe_policy(PolicyId=policy)["Policy"]
    if json.loads(known["Content"]) != properties["Content"]:
        organizations.update_policy(PolicyId=policy, Content=json.dumps(properties["Content"]))
    attached = {it["TargetId"] for it in pages("list_targets_for_policy", "Targets", PolicyId=policy)}
    wanted = set(properties["TargetIds"])
    for target in wanted - attached:
        organizations.attach_policy(PolicyId=policy, TargetId=target)
        time.sleep(PAUSE)
    for target in attached - wanted:
        organizations.detach_policy(PolicyId=policy, TargetId=target)
    return policy


def delete(policy):
    for target in list(pages("list_targets_for_policy", "Targets", PolicyId=policy)):
        organizations.detach_policy(PolicyId=policy, TargetId=target["TargetId"])
    organizations.delete_policy(PolicyId=policy)
    return policy


def handle(event):
    policy = event.get("PhysicalResourceId", "none")
    answer = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    try:
        match event["RequestType"]:
            case "Create":
                policy = create(event["ResourceProperties"])
            case "Update":
                policy = update(policy, event["ResourceProperties"])
            case "Delete":
                policy = delete(policy)
        answer |= {"Status": "SUCCESS"}
    except Exception as error:
        answer |= {"Status": "FAILED", "Reason": str(error)}
    body = json.dumps(answer | {"PhysicalResourceId": policy}).encode()
    put = urllib.request.Request(event["ResponseURL"], body, {"content-type": ""}, method="PUT")
    urllib.request.urlopen(put).close()


def main():
    """Runs the loop that Lambda's own runtime has around a handler."""
    runtime = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation"
    while True:
        with urllib.request.urlopen(f"{runtime}/next") as invocation:
            event = json.load(invocation)
            request = invocation.headers["lambda-runtime-aws-request-id"]
        handle(event)
        urllib.request.urlopen(f"{runtime}/{request}/response", b"null").close()


main()
