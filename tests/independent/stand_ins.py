"""Stand-ins of AWS Lambda and of CloudFormation, as far as a custom resource meets them.

`Function` runs a binary as the Lambda Runtime API documents it. `CloudFormation` takes answers at a
ResponseURL, and `Resource` is one custom resource of a stack of it: it sends what CloudFormation
sends, and remembers what CloudFormation remembers.
"""

import json
import queue
import subprocess
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

# How long an invocation may take, as its timeout in Lambda.
TIMEOUT_SECONDS = 120
# CloudFormation: "Custom resource response objects". The body of an answer is no longer.
LONGEST_ANSWER = 4096
ARN = "arn:aws:cloudformation:eu-central-1:123456789012"

Json = dict[str, Any]


def serve(respond: Callable[[str, str, Json, bytes], tuple[int, Json, bytes]]) -> ThreadingHTTPServer:
    """Serves on a free port of this machine. `respond` gets method, path, headers and body."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # An answer leaves as one packet and at once.
        wbufsize = -1
        disable_nagle_algorithm = True

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {key.lower(): value for key, value in self.headers.items()}
            status, headers, body = respond(self.command, self.path, headers, body)
            self.send_response(status)
            for key, value in (headers | {"Content-Length": str(len(body))}).items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = handle_any

        def log_message(self, *_: Any) -> None:
            """Says nothing: the lives report what is wrong."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """Says nothing: a function that is killed drops its connections."""

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class Exited(Exception):
    """A function is over that was to go on."""


class Function:
    """A Lambda function: a process of the real binary under a Runtime API of its own."""

    def __init__(self, binary: Path, environment: dict[str, str], log: Path) -> None:
        self.events: queue.Queue[Json] = queue.Queue()
        self.outcomes: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self.server = serve(self.respond)
        host, port = self.server.server_address[:2]
        lambda_environment = {
            "AWS_LAMBDA_RUNTIME_API": f"{host}:{port}",
            "AWS_LAMBDA_FUNCTION_NAME": binary.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        }
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [binary], env=environment | lambda_environment, stdout=output, stderr=output
            )

    def respond(self, method: str, path: str, _: Json, body: bytes) -> tuple[int, Json, bytes]:
        """Lambda: "Using the Lambda runtime API"."""
        if path.endswith("/invocation/next"):
            event = self.events.get()
            headers = {
                "Content-Type": "application/json",
                "Lambda-Runtime-Aws-Request-Id": str(uuid.uuid4()),
                "Lambda-Runtime-Deadline-Ms": str(int((time.time() + TIMEOUT_SECONDS) * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": event["ServiceToken"],
            }
            return 200, headers, json.dumps(event).encode()
        self.outcomes.put((path.rsplit("/", 1)[-1], body))
        return 202, {}, b""

    def invoke(self, event: Json) -> None:
        """Delivers an event, and returns once the function is done with it."""
        self.events.put(event)
        ends = time.monotonic() + TIMEOUT_SECONDS
        while time.monotonic() < ends:
            try:
                outcome, body = self.outcomes.get(timeout=0.2)
            except queue.Empty:
                if self.process.poll() is not None:
                    raise Exited(f"the function exited with {self.process.returncode}") from None
                continue
            assert outcome == "response", f"the invocation failed, and would be repeated: {body!r}"
            return
        raise AssertionError(f"the function was not done after {TIMEOUT_SECONDS} seconds")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.server.shutdown()


class CloudFormation:
    """CloudFormation as functions meet it: the addresses of answers, and the few operations that they
    call. moto has these operations not at all, or for stacks of its own only.
    """

    def __init__(self) -> None:
        self.answers: dict[str, list[Json]] = {}
        # What DescribeStackResource tells, by the ARN of the stack and the logical ID.
        self.resources: dict[tuple[str, str], Json] = {}
        self.organizations_access = "DISABLED"
        self.server = serve(self.respond)
        self.url = "http://{}:{}".format(*self.server.server_address[:2])

    def respond(self, method: str, path: str, headers: Json, body: bytes) -> tuple[int, Json, bytes]:
        if method == "POST":
            parameters = {key: values[0] for key, values in parse_qs(body.decode()).items()}
            status, text = self.call(parameters["Action"], parameters)
            return status, {"Content-Type": "text/xml"}, text.encode()
        # CloudFormation: "Custom resource response objects". The address is a presigned one of S3, for
        # a PUT without a content type: another request has another signature, and is denied.
        if method != "PUT" or headers.get("content-type") or len(body) > LONGEST_ANSWER:
            return 403, {}, b"SignatureDoesNotMatch"
        self.answers.setdefault(path.strip("/"), []).append(json.loads(body))
        return 200, {}, b""

    def call(self, action: str, parameters: Json) -> tuple[int, str]:
        """API: ActivateOrganizationsAccess, DeactivateOrganizationsAccess, DescribeOrganizationsAccess
        and DescribeStackResource.
        """
        match action:
            case "ActivateOrganizationsAccess":
                self.organizations_access, result = "ENABLED", {}
            case "DeactivateOrganizationsAccess":
                self.organizations_access, result = "DISABLED", {}
            case "DescribeOrganizationsAccess":
                result = {"Status": self.organizations_access}
            case "DescribeStackResource":
                stack_id, logical_id = parameters["StackName"], parameters["LogicalResourceId"]
                if (stack_id, logical_id) not in self.resources:
                    return refuse(f"Resource {logical_id} does not exist for stack {stack_id}")
                result = {"StackResourceDetail": self.resources[stack_id, logical_id]}
            case _:
                return refuse(f"Could not find operation {action}")
        return 200, as_xml({f"{action}Response": {f"{action}Result": result}})

    def stop(self) -> None:
        self.server.shutdown()


def refuse(why: str) -> tuple[int, str]:
    """What CloudFormation answers when it has not what is asked for."""
    error = {"Error": {"Type": "Sender", "Code": "ValidationError", "Message": why}}
    return 400, as_xml({"ErrorResponse": error})


def as_xml(value: Json | str) -> str:
    if isinstance(value, str):
        return escape(value)
    return "".join(f"<{key}>{as_xml(it)}</{key}>" for key, it in value.items())


def as_text(value: Any) -> Any:
    """CloudFormation makes text of what is neither a list nor an object, however deep it is."""
    match value:
        case dict():
            return {key: as_text(it) for key, it in value.items()}
        case list():
            return [as_text(it) for it in value]
        case bool():
            return str(value).lower()
        case _:
            return str(value)


@dataclass
class Resource:
    """A custom resource of a stack, with what CloudFormation remembers of it."""

    cloudformation: CloudFormation
    function: Function
    kind: str
    logical_id: str
    stack_id: str = field(default_factory=lambda: f"{ARN}:stack/independent/{uuid.uuid4()}")
    physical_id: str | None = None
    # Those that it has, and those that it was to get last: after a failed Update, these are other ones.
    properties: Json | None = None
    tried: Json | None = None

    def create(self, **properties: Any) -> Json:
        """Creates it, and returns the answer. What failed is for `delete` to clean up."""
        return self.settle(self.request("Create", properties))

    def update(self, **properties: Any) -> Json:
        """Updates it, and returns the answer. What it replaces is for `delete` to remove."""
        return self.settle(self.request("Update", properties))

    def delete(self, physical_id: str | None = None) -> Json:
        """Deletes it, or what was replaced and has `physical_id`, and returns the answer."""
        return self.settle(self.request("Delete", self.properties or {}, physical_id), physical_id)

    def request(self, verb: str, properties: Json, physical_id: str | None = None) -> Json:
        """A request as CloudFormation sends it, from when on it tells that it is under way."""
        token = f"arn:aws:lambda:eu-central-1:123456789012:function:{self.kind}"
        properties = as_text(properties | {"ServiceToken": token})
        request_id = str(uuid.uuid4())
        request = {
            "RequestType": verb,
            "RequestId": request_id,
            "ResponseURL": f"{self.cloudformation.url}/{request_id}",
            "ResourceType": f"Custom::{self.kind}",
            "LogicalResourceId": self.logical_id,
            "StackId": self.stack_id,
            "ServiceToken": token,
            "ResourceProperties": properties,
        }
        if verb != "Create":
            request["PhysicalResourceId"] = physical_id or self.physical_id
        if verb == "Update":
            request["OldResourceProperties"] = self.tried
        if physical_id is None:
            self.tell(verb, "IN_PROGRESS")
        if verb == "Create":
            self.properties = properties
        self.tried = properties
        return request

    def tell(self, verb: str, end: str) -> None:
        """Has DescribeStackResource tell what the resource is like."""
        told = {
            "StackId": self.stack_id,
            "LogicalResourceId": self.logical_id,
            "ResourceType": f"Custom::{self.kind}",
            "LastUpdatedTimestamp": datetime.now(UTC).isoformat(),
            "ResourceStatus": f"{verb.upper()}_{end}",
        }
        if self.physical_id:
            told["PhysicalResourceId"] = self.physical_id
        self.cloudformation.resources[self.stack_id, self.logical_id] = told

    def settle(self, request: Json, former_id: str | None = None) -> Json:
        """Delivers a request once, and takes its one answer for what the resource is like."""
        self.function.invoke(request)
        answers = self.answers_to(request)
        assert len(answers) == 1, f"{request['RequestType']} was answered {len(answers)} times, not once"
        if former_id is None:
            self.accept(request, answers[0])
        return answers[0]

    def accept(self, request: Json, answer: Json) -> None:
        """Remembers what came of a request."""
        verb, success = request["RequestType"], answer["Status"] == "SUCCESS"
        if success or verb == "Create":
            self.physical_id = answer["PhysicalResourceId"]
        if success:
            self.properties = request["ResourceProperties"]
        self.tell(verb, "COMPLETE" if success else "FAILED")

    def lose(self) -> None:
        """Gives up on a Create without an answer. CloudFormation makes an ID up for its Delete."""
        self.physical_id = f"independent_{self.logical_id}_{uuid.uuid4().hex[:12].upper()}"
        self.tell("Create", "FAILED")

    def answers_to(self, request: Json) -> list[Json]:
        """The answers to a request so far, each of which names what it answers."""
        answers = self.cloudformation.answers.get(request["RequestId"], [])
        for answer in answers:
            for key in ("StackId", "RequestId", "LogicalResourceId"):
                assert answer[key] == request[key], f"the answer has another {key}: {answer}"
            assert answer["Status"] in ("SUCCESS", "FAILED"), f"the answer has another status: {answer}"
            assert answer["PhysicalResourceId"], f"the answer has no PhysicalResourceId: {answer}"
            assert answer["Status"] == "SUCCESS" or answer["Reason"], f"it does not say why: {answer}"
        return answers
