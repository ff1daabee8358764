// A custom resource for a backup policy, as usually written with the AWS SDK for JavaScript v3.
//
// It makes the calls that the SDK's documentation names for the job, and none of the checks that ours
// makes. PAUSE is the number of seconds that it sleeps after each attachment, as published handlers
// do.

import { isDeepStrictEqual } from "node:util";
import { setTimeout } from "node:timers/promises";
import {
  AttachPolicyCommand,
  CreatePolicyCommand,
  DeletePolicyCommand,
  DescribePolicyCommand,
  DetachPolicyCommand,
  OrganizationsClient,
  UpdatePolicyCommand,
  paginateListTargetsForPolicy,
} from "@aws-sdk/client-organizations";

const PAUSE = Number(process.env.PAUSE ?? 0);
const client = new OrganizationsClient({});

async function attach(PolicyId, TargetId) {
  await client.send(new AttachPolicyCommand({ PolicyId, TargetId }));
  if (PAUSE) await setTimeout(PAUSE * 1000);
}

async function attached(PolicyId) {
  const targets = [];
  for await (const page of paginateListTargetsForPolicy({ client }, { PolicyId })) {
    targets.push(...page.Targets.map((it) => it.TargetId));
  }
  return targets;
}

async function create({ Name, Content, TargetIds }) {
  const policy = { Name, Description: "A backup policy.", Content: JSON.stringify(Content) };
  const made = await client.send(new CreatePolicyCommand({ ...policy, Type: "BACKUP_POLICY" }));
  const id = made.Policy.PolicySummary.Id;
  for (const target of TargetIds) await attach(id, target);
  return id;
}

async function update(PolicyId, { Content, TargetIds }) {
  const { Policy } = await client.send(new DescribePolicyCommand({ PolicyId }));
  if (!isDeepStrictEqual(JSON.parse(Policy.Content), Content)) {
    await client.send(new UpdatePolicyCommand({ PolicyId, Content: JSON.stringify(Content) }));
  }
  const targets = await attached(PolicyId);
  for (const it of TargetIds) if (!targets.includes(it)) await attach(PolicyId, it);
  for (const TargetId of targets) {
    if (!TargetIds.includes(TargetId)) {
      await client.send(new DetachPolicyCommand({ PolicyId, TargetId }));
    }
  }
  return PolicyId;
}

async function remove(PolicyId) {
  for (const TargetId of await attached(PolicyId)) {
    await client.send(new DetachPolicyCommand({ PolicyId, TargetId }));
  }
  await client.send(new DeletePolicyCommand({ PolicyId }));
  return PolicyId;
}

async function handle(event) {
  const { StackId, RequestId, LogicalResourceId, ResourceProperties: properties } = event;
  let PhysicalResourceId = event.PhysicalResourceId ?? "none";
  let result = { Status: "SUCCESS" };
  try {
    if (event.RequestType === "Create") PhysicalResourceId = await create(properties);
    if (event.RequestType === "Update") await update(PhysicalResourceId, properties);
    if (event.RequestType === "Delete") await remove(PhysicalResourceId);
  } catch (error) {
    result = { Status: "FAILED", Reason: String(error) };
  }
  const answer = { StackId, RequestId, LogicalResourceId, PhysicalResourceId, ...result };
  const headers = { "content-type": "" };
  await fetch(event.ResponseURL, { method: "PUT", headers, body: JSON.stringify(answer) });
}

// Runs the loop that Lambda's own runtime has around a handler.
const runtime = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation`;
for (;;) {
  const invocation = await fetch(`${runtime}/next`);
  const request = invocation.headers.get("lambda-runtime-aws-request-id");
  await handle(await invocation.json());
  await fetch(`${runtime}/${request}/response`, { method: "POST", body: "null" });
}
