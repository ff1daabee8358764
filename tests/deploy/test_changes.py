"""Tests of the parts of `scripts/deploy` that decide and call nothing.

`python3 -m unittest discover --start-directory tests/deploy` runs them, and so does a test of the
contracts.
"""

import dataclasses
import pathlib
import sys
import textwrap
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "scripts/deploy"))

import members
import resources
import template
from changes import BUILT, CHANGES, CREATED, UNCHANGED, Changes, MemberChange, Seen, as_kept, change_of
from members import Instance, StackSet, losses
from plan import ORDER, Plan, Stack, body_of
from resources import Body, State

HOME = "eu-central-1"
MANAGEMENT = "111122223333"
REQUIRED = {
    "ArtifactBucket": "artifacts-of-ours",
    "ArtifactPrefix": "org-backup/0a1b/",
    "CentralVaultArn": "arn:aws:backup:eu-west-1:444455556666:backup-vault:central",
    "HomeRegion": HOME,
    "MemberAccountsRoleArn": f"arn:aws:iam::{MANAGEMENT}:role/org-backup-member-accounts",
    "OrganizationId": "o-a1b2c3d4e5",
    "TargetIds": "root",
}


TEMPLATES = {it.stem: template.read(it) for it in sorted((ROOT / "templates").glob("*.yaml"))}


def stack(name: str, **parameters: str) -> Stack:
    """Returns a stack of a template with the defaults of its parameters, except for these."""
    it = TEMPLATES[name]
    values = {key: REQUIRED.get(key, of.default or "") for key, of in it.parameters.items()}
    return Stack(f"org-backup-{name}", it, MANAGEMENT, HOME, "", values | parameters)


def seen(it: Stack, status: str = "CREATE_COMPLETE", **parameters: str) -> Seen:
    """Returns the stack as AWS has it, except for these parameters."""
    kept = {key: as_kept(value) for key, value in it.parameters.items()}
    return Seen(status, kept | parameters, dict(it.tags), as_kept(it.template.text))


def compare(before: str, after: str, was: dict[str, str], will: dict[str, str]) -> list[str]:
    old, new = (
        State(resources.read(textwrap.dedent(text)), parameters)
        for text, parameters in [(before, was), (after, will)]
    )
    return [it.line for it in resources.compare(old, new, set())]


class Templates(unittest.TestCase):
    TEXT = """
        Parameters:
          Name:
            Type: String
        Conditions:
          HasName: !Not [!Equals [!Ref Name, ""]]
          HasBoth: !And
            - !Condition HasName
            - !Equals [!Join ["", !Ref Names], ab]
        Resources:
          # The first.
          Store:
            Type: AWS::S3::Bucket
            UpdateReplacePolicy: Retain
            DeletionPolicy: RetainExceptOnCreate
            Properties:
              BucketName: !Ref Name

          Topic:
            Type: AWS::SNS::Topic
            Condition: HasName
            Properties:
              DisplayName: !Sub of ${Store}
              KmsMasterKeyId: !If [HasBoth, a, b]
    """

    def test_resources_are_read_with_their_properties(self):
        body = resources.read(textwrap.dedent(self.TEXT))
        self.assertEqual(list(body.resources), ["Store", "Topic"])
        self.assertEqual(body.resources["Topic"].condition, "HasName")
        self.assertEqual(body.resources["Store"].properties, {"BucketName": "!Ref Name"})
        self.assertTrue(body.resources["Store"].has("DeletionPolicy"))
        self.assertFalse(body.resources["Topic"].has("DeletionPolicy"))

    def test_a_template_that_is_written_otherwise_has_no_resources(self):
        self.assertEqual(resources.read('{"Resources": {"A": {"Type": "AWS::S3::Bucket"}}}').resources, {})

    def test_conditions_are_evaluated_as_far_as_parameters_decide(self):
        body = resources.read(textwrap.dedent(self.TEXT))
        for parameters, has_name, has_both in [
            ({"Name": "", "Names": "a,b"}, False, False),
            ({"Name": "x", "Names": "a,b"}, True, True),
            ({"Name": "x", "Names": "a"}, True, False),
            ({"Names": "a,b"}, None, None),
            ({}, None, None),
            ({"Name": ""}, False, False),
        ]:
            state = State(body, parameters)
            self.assertEqual([state.holds("HasName"), state.holds("HasBoth")], [has_name, has_both])

    def test_every_condition_of_ours_is_known(self):
        for path in sorted((ROOT / "templates").glob("*.yaml")):
            it = stack(path.stem)
            pseudo = {"AWS::Region": HOME, "AWS::Partition": "aws", "AWS::AccountId": MANAGEMENT}
            state = State(resources.read(it.template.text), it.parameters | pseudo)
            unknown = [name for name in state.body.conditions if state.holds(name) is None]
            self.assertEqual(unknown, [], path.name)

    def test_an_update_replaces_what_the_schema_says(self):
        was, will = {"Name": "a", "Names": ""}, {"Name": "b", "Names": ""}
        self.assertEqual(compare(self.TEXT, self.TEXT, was, was), [])
        self.assertEqual(compare(self.TEXT, self.TEXT, was, will), [
            "replaced: Store (AWS::S3::Bucket): BucketName; the old one stays",
            "changed: Topic (AWS::SNS::Topic): DisplayName",
        ])

    def test_a_condition_adds_and_deletes(self):
        none, some = {"Name": "", "Names": ""}, {"Name": "a", "Names": ""}
        self.assertIn("added: Topic (AWS::SNS::Topic)", compare(self.TEXT, self.TEXT, none, some))
        self.assertIn("deleted: Topic (AWS::SNS::Topic)", compare(self.TEXT, self.TEXT, some, none))
        # Nobody knows the account before AWS does.
        before, after = [
            self.TEXT.replace("!Ref Name, ", f"!Ref AWS::{it}, ") for it in ["AccountId", "StackId"]
        ]
        self.assertIn(
            "may be added or deleted: Topic (AWS::SNS::Topic): HasName",
            compare(before, after, some, some),
        )

    def test_a_template_adds_deletes_and_changes(self):
        same = {"Name": "a", "Names": ""}
        without = self.TEXT.split("  Topic:")[0].rstrip() + "\n"
        self.assertEqual(compare(self.TEXT, without, same, same), ["deleted: Topic (AWS::SNS::Topic)"])
        self.assertEqual(compare(without, self.TEXT, same, same), ["added: Topic (AWS::SNS::Topic)"])
        gone = self.TEXT.replace("Store:", "Other:").replace("${Store}", "${Other}")
        self.assertEqual(compare(self.TEXT, gone, same, same)[:2], [
            "added: Other (AWS::S3::Bucket)",
            "deleted: Store (AWS::S3::Bucket); it stays",
        ])
        written = self.TEXT.replace("BucketName: !Ref Name", "BucketName: !Sub ${Name}")
        self.assertEqual(
            compare(self.TEXT, written, same, same)[0],
            "may be replaced: Store (AWS::S3::Bucket): BucketName; the old one stays",
        )
        unknown = self.TEXT.replace("AWS::SNS::Topic", "AWS::Of::Tomorrow")
        self.assertEqual(
            compare(unknown, unknown.replace("of $", "by $"), same, same),
            ["may be replaced: Topic (AWS::Of::Tomorrow): DisplayName"],
        )


class Stacks(unittest.TestCase):
    def test_a_stack_that_is_as_the_file_says_is_unchanged(self):
        for path in sorted((ROOT / "templates").glob("*.yaml")):
            it = stack(path.stem)
            self.assertEqual(change_of(it, seen(it), is_built=True).kind, UNCHANGED, path.name)
            # A stack that takes no code is known without it as well.
            kind = BUILT if it.code else UNCHANGED
            self.assertEqual(change_of(it, seen(it), is_built=False).kind, kind, path.name)

    def test_a_new_stack_says_what_it_has_and_what_stays(self):
        it = stack("bootstrap", MemorySize="512")
        change = change_of(it, None, is_built=True)
        self.assertEqual(change.kind, CREATED)
        self.assertIn("  MemorySize: 512", change.lines)
        self.assertNotIn("ArtifactPrefix", "\n".join(change.lines))
        self.assertIn("StateBucket (AWS::S3::Bucket)", change.stay)
        for status in ["REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE"]:
            self.assertIn("created", change_of(it, seen(it, status), is_built=True).kind)

    def test_code_is_another_build_unless_nobody_built_it(self):
        it = stack("bootstrap")
        before = seen(it, ArtifactPrefix="org-backup/9f8e/")
        change = change_of(it, before, is_built=True)
        self.assertIn("  code: another build", change.lines)
        self.assertTrue(all(effect.properties == ["Code"] for effect in change.effects))
        self.assertEqual(change_of(it, before, is_built=False).kind, BUILT)

    def test_parameters_and_tags_are_told_with_both_values(self):
        it = dataclasses.replace(stack("bootstrap", MemorySize="512"), tags={"team": "storage"})
        before = dataclasses.replace(seen(it, MemorySize="256"), tags={"stage": "test"})
        lines = change_of(it, before, is_built=True).lines
        self.assertEqual(lines[1:4], ["  MemorySize: 256 → 512", '  tag stage: test → ""', "  tag team: storage"])

    def test_a_parameter_that_is_not_ascii_is_unchanged(self):
        it = stack("bootstrap", StateWriterRoleArns="arn:aws:iam::111122223333:role/bücher")
        self.assertEqual(change_of(it, seen(it), is_built=True).kind, UNCHANGED)

    def test_a_stack_that_something_works_on_says_so(self):
        it = stack("bootstrap")
        change = change_of(it, seen(it, "UPDATE_IN_PROGRESS"), is_built=True)
        self.assertIn("and the deployment waits for it: UPDATE_IN_PROGRESS", change.lines[0])

    def test_a_template_that_cannot_be_read_says_so(self):
        it = stack("bootstrap")
        change = change_of(it, dataclasses.replace(seen(it), template="{}"), is_built=True)
        self.assertEqual(change.effects, [])
        self.assertIn("  its template cannot be read, so the changed resources are unknown", change.lines)
        text = seen(it).template.replace("Outputs:", "Outputs:\n  # Another.", 1)
        change = change_of(it, dataclasses.replace(seen(it), template=text), is_built=True)
        self.assertIn("  its template changes, and no resource", change.lines)

    def test_a_long_value_is_cut(self):
        it = stack("bootstrap", StateWriterRoleArns="x" * 500)
        lines = change_of(it, seen(it, StateWriterRoleArns="y"), is_built=True).lines
        self.assertTrue(lines[1].endswith("… (500 characters)"))
        self.assertLess(len(lines[1]), 250)


class Members(unittest.TestCase):
    def sets(self, it: Stack) -> list[StackSet]:
        """Returns the StackSets of a roll-out."""
        bodies = [body_of(f"{it.name}-{of}", it, TEMPLATES, "aws") for of in ["members", "central"]]
        return [
            StackSet(f"{it.name}-members", ["ou-ab12-sandbox1"], [HOME, "eu-west-1"], **bodies[0]),
            StackSet(f"{it.name}-central", ["root"], [HOME], only=["444455556666"], **bodies[1]),
        ]

    def rollout(self, before: dict[str, str] | None, **after: str) -> Changes:
        """Compares a roll-out to two accounts, one of which has its stacks."""
        values = {"CentralAccountId": "444455556666"} | after
        it = stack("rollout", **values)
        sets = it.stack_sets = self.sets(it)
        there = None if before is None else seen(stack("rollout", **values), **before)
        old = self.sets(stack("rollout", **values | (before or {})))
        plan = Plan(MANAGEMENT, "o-a1b2c3d4e5", {}, stacks=[it])
        change = change_of(it, there, is_built=True)
        instances = [[], []]
        if there:
            instances[0] = [Instance("200000000001", at, "ou-ab12-sandbox1", True) for at in [HOME, "eu-west-1"]]
            instances[1] = [Instance("444455556666", HOME, "root", True)]
        found = [
            members.compare(sets[0], ["200000000001", "200000000002"], instances[0]),
            members.compare(sets[1], ["200000000001", "444455556666"], instances[1]),
        ]
        kept = [(it.body, it.parameters) if there else None for it in old]
        both = zip(found, kept, strict=True)
        return Changes(plan, [change], [MemberChange(change, it, seen) for it, seen in both])

    def test_stacks_that_are_there_are_updated_with_their_stack_set(self):
        changes = self.rollout({"LockMode": "None"}, LockMode="Governance")
        said = "\n".join(changes.lines)
        self.assertIn("members: 2 stay and are updated: account 200000000001 in eu-central-1, eu-west-1", said)
        self.assertIn("members: 2 have none and get a stack: account 200000000002", said)
        self.assertIn("central: 1 stays: account 444455556666", said)
        self.assertEqual(
            changes.summary, "Plan: 1 stack changed, 2 member stacks made, 2 member stacks updated."
        )
        self.assertEqual(changes.irreversible, [])
        self.assertFalse(changes.is_empty)
        self.assertIn("  in each stack that is there: changed: Vault (AWS::Backup::BackupVault): LockConfiguration", said)
        # Another build with the same template changes nothing there.
        said = "\n".join(self.rollout({"ArtifactPrefix": "org-backup/9f8e/"}).lines)
        self.assertIn("org-backup-rollout in eu-central-1: changed\n  code: another build", said)
        self.assertIn("members: 2 stay: ", said)

    def test_a_compliance_lock_names_every_vault_that_gets_it(self):
        [it] = self.rollout({"LockMode": "None"}, LockMode="Compliance", LockMaxRetentionDays="400").irreversible
        self.assertIn("vault `org-backup` of accounts 111122223333, 200000000001, 200000000002", it)
        self.assertIn("at least 1 day and at most 400. 30 days after the lock is set", it)
        # It is there already, and one account more gets it.
        [it] = self.rollout({}, LockMode="Compliance").irreversible
        self.assertIn("of account 200000000002 in", it)
        # Its bounds change everywhere.
        [it] = self.rollout({"LockMinRetentionDays": "7"}, LockMode="Compliance", LockMinRetentionDays="9").irreversible
        self.assertIn("200000000001", it)
        self.assertEqual(self.rollout({}, LockMode="Governance").irreversible, [])

    def test_the_central_vault_has_a_lock_of_its_own(self):
        [it] = self.rollout({"CentralLockMode": "None"}, CentralLockMode="Compliance").irreversible
        self.assertIn("vault `central` of account 444455556666 in eu-central-1", it)
        self.assertEqual(self.rollout({}, CentralLockMode="Compliance").irreversible, [])
        lines = self.rollout({"CentralLockMode": "Compliance"}, CentralLockMode="None").lines
        self.assertTrue(any("AWS refuses this change of CentralLockMode" in it for it in lines))

    def test_the_retention_of_an_air_gapped_vault_is_for_good(self):
        [it] = self.rollout({"AirGappedVaultName": ""}, AirGappedVaultName="sealed").irreversible
        self.assertIn("vault `sealed` of accounts 111122223333, 200000000001", it)
        self.assertIn("at least 7 days and at most 3653", it)

    def test_what_cannot_be_read_counts_as_new_everywhere(self):
        changes = self.rollout(None, LockMode="Compliance")
        changes.members, changes.unread = [], "no credentials"
        [it] = changes.irreversible
        self.assertIn("of every account and Region", it)
        self.assertEqual(changes.lines[0], "AWS was not read: no credentials")

    def test_a_stack_set_that_somebody_changed_stays_with_its_stack(self):
        changes = self.rollout({})
        member = changes.members[0]
        member.seen = (member.seen[0].replace("EnableKeyRotation: true", "EnableKeyRotation: false"), member.seen[1])
        self.assertEqual(member.effects, [])
        member.of.kind = BUILT
        self.assertEqual(len(member.effects), 1)

    def test_every_parameter_of_a_stack_set_has_a_value(self):
        for it in self.sets(stack("rollout", CentralAccountId="444455556666", CentralRegions="eu-west-1")):
            self.assertNotIn("None", [value for key, value in it.parameters.items() if key != "LockMode"])
            role = f"arn:aws:iam::{MANAGEMENT}:role/org-backup-member-accounts"
            self.assertEqual(it.parameters["MemberAccountsRoleArn"], role)
        self.assertEqual(it.parameters["HomeRegion"], "eu-west-1")

    def test_a_template_that_would_replace_a_vault_in_every_account_is_told(self):
        changes = self.rollout({"ArtifactPrefix": "org-backup/9f8e/"})
        member = changes.members[0]
        member.seen = (member.seen[0].replace("BackupVaultName: !Ref VaultName", "BackupVaultName: old"), member.seen[1])
        [said] = changes.irreversible
        member_of = changes.members[1]
        member_of.seen = ("", {})
        self.assertEqual(member_of.effects, [])
        self.assertIn("members, each stack: Vault (AWS::Backup::BackupVault) may leave the stack", said)

    def test_a_vault_that_leaves_its_stack_is_told(self):
        it = stack("member-account", VaultName="new")
        change = change_of(it, seen(it, VaultName="old"), is_built=True)
        self.assertEqual(change.kind, CHANGES)
        plan = Plan(MANAGEMENT, "o-a1b2c3d4e5", {}, stacks=[it])
        [said] = Changes(plan, [change]).irreversible
        self.assertIn("Vault (AWS::Backup::BackupVault) leaves the stack and stays", said)

    def test_a_new_retention_of_an_air_gapped_vault_is_refused(self):
        before = stack("rollout", AirGappedVaultName="sealed").parameters
        self.assertEqual(losses("", before, before, HOME), [])
        [reason] = losses("", before, before | {"AirGappedMinRetentionDays": "9"}, HOME)
        self.assertIn("Leave [rollout] AirGappedMinRetentionDays as it was", reason)
        # It does not exist yet.
        none = before | {"AirGappedVaultName": ""}
        self.assertEqual(losses("", none, before | {"AirGappedMinRetentionDays": "9"}, HOME), [])


class Empty(unittest.TestCase):
    def test_nothing_is_nothing(self):
        nothing = State(Body({}, {}), {})
        self.assertEqual(resources.compare(nothing, nothing, set()), [])
        for text in ["", "!Not", "[", "!And [", "!If [a", "]", "!Ref", '"']:
            resources.evaluate(resources.parse(text), nothing)


class Order(unittest.TestCase):
    def test_the_order_has_every_template_that_a_file_can_ask_for(self) -> None:
        self.assertEqual(sorted([*ORDER, "central-backup-account"]), sorted(TEMPLATES))


if __name__ == "__main__":
    unittest.main()
