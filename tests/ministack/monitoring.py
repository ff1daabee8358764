"""Deploys stacks, puts events on the default bus, and tells what a subscriber hears."""

import json
import sys
import time

from engine import WAIT_SECONDS, client, create, tell, told

stacks, queues, topics, events = map(client, ["cloudformation", "sqs", "sns", "events"])


def deploy(name, template, **parameters):
    """Deploys a stack and returns its outputs."""
    stack = create(stacks, name, json.dumps(template), parameters)
    if stack["status"] != "CREATE_COMPLETE":
        sys.exit(f"{name}: {stack['why']}")
    return stack["outputs"]


success = {"NotifySuccess": told["success"]}
central = deploy(
    "central", told["central"], OrganizationId=told["organization"], **success
)
deploy("member", told["member"], BusArn=central["BusArn"], **success)

queue = queues.create_queue(QueueName="subscriber")["QueueUrl"]
arn = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
topics.subscribe(
    TopicArn=central["TopicArn"],
    Protocol="sqs",
    Endpoint=arn["Attributes"]["QueueArn"],
    Attributes={"RawMessageDelivery": "true"},
)

for event in told["events"]:
    tell(events, event | {"source": told["source"]})

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
