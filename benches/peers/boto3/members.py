"""Opts member accounts in as a careful script does. It has a session per thread, which keeps the
parsed models, and a client per account and Region, because both are fixed when a client is created.

Reads its task from standard input, and prints its cost: `calls`, `wall` and `cpu` in seconds,
`memory` (the peak) in KiB.
"""

import json
import resource
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import boto3.session

told = json.load(sys.stdin)
of_thread = threading.local()


def client(service, region, key, secret="none", token=None):
    if not hasattr(of_thread, "session"):
        of_thread.session = boto3.session.Session()
    return of_thread.session.client(
        service,
        region_name=region,
        endpoint_url=told["endpoint"],
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
    )


def work(account):
    """Reads the settings of every Region of an account, and returns the number of calls."""
    calls = 0
    key, secret, token = told["account"], "none", None
    if account != told["account"]:
        sts = client("sts", "us-east-1", key)
        role = f"arn:aws:iam::{account}:role/{told['role']}"
        it = sts.assume_role(RoleArn=role, RoleSessionName="peer")["Credentials"]
        key, secret, token = it["AccessKeyId"], it["SecretAccessKey"], it["SessionToken"]
        calls += 1
    for region in told["regions"]:
        backup = client("backup", region, key, secret, token)
        assert backup.describe_region_settings()["ResourceTypeOptInPreference"]["EBS"] is True
        calls += 1
    return calls


started = time.monotonic()
organizations = client("organizations", "us-east-1", told["account"])
accounts, calls = [], 0
for page in organizations.get_paginator("list_accounts").paginate():
    accounts += [it["Id"] for it in page["Accounts"] if it.get("State", it.get("Status")) == "ACTIVE"]
    calls += 1
with ThreadPoolExecutor(told["threads"]) as pool:
    calls += sum(pool.map(work, accounts))
usage = resource.getrusage(resource.RUSAGE_SELF)
cost = {
    "calls": calls,
    "wall": time.monotonic() - started,
    "cpu": usage.ru_utime + usage.ru_stime,
    "memory": usage.ru_maxrss,
}
json.dump(cost, sys.stdout)
