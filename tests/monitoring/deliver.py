"""Deploys stacks to ministack, puts events on the default bus, and tells what a subscriber hears.

Reads a description from standard input and prints the messages. Everything is JSON.
"""

import json
import sys
import time

import botocore.session

WAIT_SECONDS = 60

told = json.load(sys.stdin)
session = botocore.session.Session()
session.set_credentials(told["account"], "none")


def client(service):
    return session.create_client(
        service, region_name=told["region"], endpoint_url=told["ministack"]
    )


stacks, queues, topics, events = map(client, ["cloudformation", "sqs", "sns", "events"])


def deploy(name, template, **parameters):
    """Deploys a stack and returns its outputs."""
    stacks.create_stack(
        StackName=name,
        TemplateBody=json.dumps(template),
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    ends = time.monotonic() + WAIT_SECONDS
    while True:
        stack = stacks.describe_stacks(StackName=name)["Stacks"][0]
        if not stack["StackStatus"].endswith("IN_PROGRESS") or time.monotonic() > ends:
            break
        time.sleep(0.1)
    if stack["StackStatus"] != "CREATE_COMPLETE":
        happened = stacks.describe_stack_events(StackName=name)["StackEvents"]
        sys.exit(f"{name}: {[it.get('ResourceStatusReason') for it in happened]}")
    return {it["OutputKey"]: it["OutputValue"] for it in stack.get("Outputs", [])}


central = deploy("central", told["central"], OrganizationId=told["organization"])
deploy("member", told["member"], BusArn=central["BusArn"])

queue = queues.create_queue(QueueName="subscriber")["QueueUrl"]
arn = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
topics.subscribe(
    TopicArn=central["TopicArn"],
    Protocol="sqs",
    Endpoint=arn["Attributes"]["QueueArn"],
    Attributes={"RawMessageDelivery": "true"},
)

for event in told["events"]:
    put = events.put_events(
        Entries=[
            {
                "Source": told["source"],
                "DetailType": event["detail-type"],
                "Detail": json.dumps(event["detail"]),
            }
        ]
    )
    assert put["FailedEntryCount"] == 0, put

# The last event is one that is heard of, and what comes after it would be too late.
messages = []
ends = time.monotonic() + WAIT_SECONDS
while not any(told["last"] in it for it in messages) and time.monotonic() < ends:
    received = queues.receive_message(
        QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1
    )
    for message in received.get("Messages", []):
        messages.append(message["Body"])
        queues.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])

json.dump(messages, sys.stdout)
