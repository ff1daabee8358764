use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use expect_test::{Expect, expect};
use plan::member_accounts::{Objective, ResourceScope};
use serde_json::{Value, json};

use super::*;
use crate::outline::{Effective, Origin, Setting};
use crate::{Found, Lock, utc};

const VOLUME: &str = "arn:aws:ec2:eu-west-1:200000000001:volume/vol-1";
const CLUSTER: &str = "arn:aws:rds:eu-west-1:200000000001:cluster:orders";
const BUCKET: &str = "arn:aws:s3:::reports";
const KEEP: &str = "arn:aws:backup:eu-west-1:200000000001:backup-vault:keep";
const GAP: &str = "arn:aws:backup:eu-west-1:200000000001:backup-vault:gap";
const COPIES: &str = "arn:aws:backup:eu-north-1:300000000001:backup-vault:copies";
const ROLE: &str = "arn:aws:iam::200000000001:role/backup";

/// Day and hour of November 2026.
fn at(day: u64, hour: u64) -> SystemTime {
    // The first of November 2026 is 20,758 days after the epoch.
    SystemTime::UNIX_EPOCH + Duration::from_hours((20_757 + day) * 24 + hour)
}

/// A volume with the tag `tier: gold`, a plan that takes it every night at five into a vault that is
/// there, and what was seen by noon of the twentieth.
struct Scene {
    now: SystemTime,
    plans: Value,
    place: Place,
    asks: Asks,
    resource: Resource,
    points: Vec<RecoveryPoint>,
    jobs: Vec<Job>,
    copy_jobs: Vec<Job>,
    tests: Vec<RestoreTest>,
}

fn vault() -> Vault {
    Vault { key: Key::Customer, lock: None, admits: Some(true), is_air_gapped: false }
}

fn rule() -> Value {
    json!({
        "schedule_expression": "cron(0 5 ? * * *)",
        "start_backup_window_minutes": "60",
        "target_backup_vault_name": "keep",
        "lifecycle": { "delete_after_days": "30" },
    })
}

fn by_tag() -> Value {
    json!({ "tags": { "gold": {
        "iam_role_arn": "arn:aws:iam::$account:role/backup",
        "tag_key": "tier",
        "tag_value": ["gold"],
    } } })
}

fn by_types(types: &[&str]) -> Value {
    json!({ "resources": { "types": {
        "iam_role_arn": "arn:aws:iam::$account:role/backup",
        "resource_types": types,
    } } })
}

fn plan(rules: &[(&str, Value)], selections: Value) -> Value {
    let rules: BTreeMap<_, _> = rules.iter().cloned().collect();
    json!({ "regions": ["eu-west-1"], "rules": rules, "selections": selections })
}

fn tags(tags: &[(&str, &str)]) -> BTreeMap<String, String> {
    tags.iter().map(|it| (it.0.to_owned(), it.1.to_owned())).collect()
}

fn point(created: SystemTime) -> RecoveryPoint {
    RecoveryPoint {
        vault: KEEP.into(),
        created,
        completed: created + Duration::from_mins(10),
        status: PointStatus::Usable,
        is_continuous: false,
        delete_at: Some(created + Duration::from_hours(30 * 24)),
        by: None,
    }
}

fn job(created: SystemTime, state: JobState) -> Job {
    let ended = (state != JobState::Open).then_some(created + Duration::from_mins(10));
    let message = "because".into();
    Job { vault: KEEP.into(), created, ended, state, message, by: None }
}

fn scene() -> Scene {
    let vaults = [(KEEP, vault()), (COPIES, vault())];
    let types = ["EBS", "Aurora", "S3", "EFS", "RDS"].map(|it| it.parse().unwrap());
    Scene {
        now: at(20, 12),
        plans: json!({ "daily": plan(&[("night", rule())], by_tag()) }),
        place: Place {
            account: "200000000001".parse().unwrap(),
            region: "eu-west-1".parse().unwrap(),
            partition: "aws".to_owned(),
            since: Some(at(1, 0)),
            supported: Some(types.iter().cloned().collect()),
            opt_ins: Ok(types.into_iter().map(|it| (it, true)).collect()),
            vaults: vaults.into_iter().map(|it| (it.0.to_owned(), Found::Here(it.1))).collect(),
            roles: [(ROLE.to_owned(), Found::Here(true))].into(),
            organization: Some(Arc::new(
                ["200000000001", "300000000001"].map(|it| it.parse().unwrap()).into(),
            )),
            is_cross_account: Some(true),
            unread: BTreeMap::new(),
            jobs_unread: None,
            local: vec![],
        },
        asks: Asks::default(),
        resource: Resource {
            arn: VOLUME.to_owned(),
            kind: None,
            tags: Some(tags(&[("tier", "gold")])),
            created: None,
            first_seen: Some(at(1, 0)),
        },
        points: vec![point(at(20, 5))],
        jobs: vec![job(at(20, 5), JobState::Completed)],
        copy_jobs: vec![],
        tests: vec![],
    }
}

impl Scene {
    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// A resource that was never backed up.
    fn fresh_start(self) -> Self {
        self.with(|it| {
            it.points.clear();
            it.jobs.clear();
        })
    }

    fn look<T>(&self, look: impl FnOnce(&Judge<'_>, &Coverage) -> T) -> T {
        let effective =
            Effective { document: json!({ "plans": self.plans }), ..Effective::default() };
        let plans = BackupPlan::all(&effective);
        let judge = Judge::new(&self.place, Ok(&plans), &self.asks, self.now);
        let evidence = Evidence {
            points: &self.points,
            jobs: &self.jobs,
            copy_jobs: &self.copy_jobs,
            tests: &self.tests,
        };
        look(&judge, &judge.judge(&self.resource, evidence))
    }

    /// The state, what differs, what is in the way, and how copies are.
    fn check(&self, expect: Expect) {
        let said = self.look(|_, it| {
            let differences = it.nearest.iter().flat_map(|it| &it.differences);
            let differences = differences.map(|it| format!("  {it}\n"));
            let owed = it.owed.iter().flat_map(|it| {
                let obstacles = it.obstacles.iter().map(|it| format!("  but {it}\n"));
                let copies = it.copies.iter().flat_map(|it| {
                    let obstacles = it.obstacles.iter().map(|it| format!("    but {it}\n"));
                    std::iter::once(format!("  copy: {}\n", it.state)).chain(obstacles)
                });
                obstacles.chain(copies)
            });
            let rest: String = differences.chain(owed).collect();
            format!("{}\n{rest}", it.state)
        });
        expect.assert_eq(&said);
    }
}

fn copying(rule: Value, vault: &str) -> Value {
    let mut rule = rule;
    rule["copy_actions"] = json!({ vault: { "target_backup_vault_arn": vault } });
    rule
}

mod selecting {
    use super::*;

    /// Whether a selection by this condition takes the volume.
    fn takes(operator: &str, key: &str, value: &str, having: &[(&str, &str)]) -> bool {
        let mut selections = by_types(&["*"]);
        let condition = json!({ "condition_key": key, "condition_value": value });
        selections["resources"]["types"]["conditions"] = json!({ operator: { "it": condition } });
        let scene = scene().with(|it| {
            it.plans = json!({ "daily": plan(&[("night", rule())], selections) });
            it.resource.tags = Some(tags(having));
        });
        scene.look(|_, it| !it.taken.is_empty())
    }

    #[test]
    fn a_condition_compares_the_value_of_a_tag_and_its_case() {
        let key = "aws:ResourceTag/tier";
        let gold = [("tier", "gold")];
        assert!(takes("string_equals", key, "gold", &gold));
        assert!(!takes("string_equals", key, "Gold", &gold));
        assert!(!takes("string_equals", key, "gold", &[]));
        assert!(takes("string_like", key, "*ol*", &gold));
        assert!(!takes("string_like", key, "*", &[]));
        assert!(!takes("string_equals", "tier", "gold", &gold), "a key that AWS does not know");
    }

    #[test]
    fn a_negated_condition_holds_where_there_is_no_tag() {
        let key = "aws:ResourceTag/stage";
        assert!(takes("string_not_equals", key, "test", &[]));
        assert!(takes("string_not_equals", key, "test", &[("stage", "prod")]));
        assert!(!takes("string_not_equals", key, "test", &[("stage", "test")]));
        assert!(takes("string_not_like", key, "te*", &[]));
        assert!(!takes("string_not_like", key, "te*", &[("stage", "test")]));
    }

    #[test]
    fn the_account_stands_for_itself_in_values() {
        let key = "aws:ResourceTag/owner";
        assert!(takes("string_equals", key, "$account", &[("owner", "200000000001")]));
        assert!(!takes("string_equals", key, "$account", &[("owner", "200000000002")]));
    }

    #[test]
    fn one_of_several_values_is_enough_and_every_condition_has_to_hold() {
        let mut selections = by_tag();
        let gold = &mut selections["tags"]["gold"];
        gold["tag_value"] = json!(["silver", "gold"]);
        gold["conditions"] = json!({ "string_equals": {
            "one": { "condition_key": "aws:ResourceTag/stage", "condition_value": "prod" },
        } });
        let scene = |having: &[(&str, &str)]| {
            scene().with(|it| {
                it.plans = json!({ "daily": plan(&[("night", rule())], selections.clone()) });
                it.resource.tags = Some(tags(having));
            })
        };
        scene(&[("tier", "gold"), ("stage", "prod")]).check(expect![[r"
            fresh
        "]]);
        scene(&[("tier", "gold"), ("stage", "test")]).check(expect![[r"
            not selected
              the tag `stage` is `test`, and the selection takes `prod`
        "]]);
    }

    #[test]
    fn what_nearly_takes_a_resource_is_told_with_what_differs() {
        let scene =
            |having: &[(&str, &str)]| scene().with(|it| it.resource.tags = Some(tags(having)));
        scene(&[("tier", "Gold")]).check(expect![[r"
            not selected
              the tag `tier` is `Gold`, and the selection takes `gold`
        "]]);
        scene(&[("Tier", "gold")]).check(expect![[r"
            not selected
              the tag is `Tier`, and the selection looks for `tier`
        "]]);
        scene(&[]).check(expect![[r"
            not selected
              there is no tag `tier`, and the selection takes `gold`
        "]]);
    }

    #[test]
    fn the_nearest_is_the_one_of_a_misspelt_value_and_not_the_first() {
        let scene = scene().with(|it| {
            let mut silver = by_tag();
            silver["tags"]["gold"]["tag_value"] = json!(["silver"]);
            it.plans = json!({
                "a": plan(&[("night", rule())], silver),
                "b": plan(&[("night", rule())], by_tag()),
            });
            it.resource.tags = Some(tags(&[("tier", "golf")]));
        });
        assert_eq!(scene.look(|_, it| it.nearest.clone().map(|it| it.plan)), Some(1));
    }

    #[test]
    fn a_plan_that_does_not_name_the_region_takes_nothing_there() {
        let scene = scene().with(|it| it.plans["daily"]["regions"] = json!(["eu-north-1"]));
        scene.check(expect![[r"
            not selected
              the plan does not name the Region
        "]]);
    }

    #[test]
    fn types_that_are_left_out_are_not_taken() {
        let mut selections = by_types(&["*"]);
        selections["resources"]["types"]["not_resource_types"] =
            json!(["arn:aws:ec2:*:*:volume/*"]);
        let scene = scene()
            .with(|it| it.plans = json!({ "daily": plan(&[("night", rule())], selections) }));
        scene.check(expect![[r"
            not selected
              the selection leaves out `arn:aws:ec2:*:*:volume/*`
        "]]);
    }

    #[test]
    fn conditions_alone_take_nothing() {
        let mut selections = by_types(&[]);
        selections["resources"]["types"]["conditions"] = json!({ "string_like": {
            "one": { "condition_key": "aws:ResourceTag/tier", "condition_value": "*" },
        } });
        let scene = scene()
            .with(|it| it.plans = json!({ "daily": plan(&[("night", rule())], selections) }));
        scene.check(expect![[r"
            not selected
              AWS Backup refuses a selection of conditions without types or tags
        "]]);
    }
}

mod opting_in {
    use super::*;

    fn opted_out(arn: &str, kind: &str, selections: Value) -> State {
        let scene = scene().with(|it| {
            it.plans = json!({ "daily": plan(&[("night", rule())], selections) });
            it.resource.arn = arn.to_owned();
            it.resource.kind = Some(kind.parse().unwrap());
            it.place.opt_ins = Ok([(kind.parse().unwrap(), false)].into());
        });
        scene.look(|_, it| it.state.clone())
    }

    #[test]
    fn opt_ins_decide_for_tags_and_not_for_types_that_are_named() {
        assert_eq!(opted_out(VOLUME, "EBS", by_tag()), State::OptedOut);
        assert_eq!(opted_out(VOLUME, "EBS", by_types(&["*"])), State::OptedOut);
        let named = by_types(&["arn:aws:ec2:*:*:volume/*"]);
        assert_eq!(opted_out(VOLUME, "EBS", named), State::Fresh);
        assert_eq!(opted_out(BUCKET, "S3", by_types(&["arn:aws:s3:::*"])), State::Fresh);
        let service = by_types(&["arn:aws:ec2:*"]);
        assert_eq!(opted_out(VOLUME, "EBS", service), State::OptedOut);
    }

    #[test]
    fn clusters_of_databases_need_the_opt_in_also_where_they_are_named() {
        let named = by_types(&["arn:aws:rds:*:*:cluster:*"]);
        assert_eq!(opted_out(CLUSTER, "Aurora", named), State::OptedOut);
    }

    #[test]
    fn without_opt_ins_nobody_knows_what_tags_take() {
        let scene = scene().with(|it| it.place.opt_ins = Err("nobody got in".to_owned()));
        scene.check(expect![[r"
            not known: nobody got in
        "]]);
    }
}

mod owing {
    use super::*;

    #[test]
    fn the_backup_of_the_last_run_makes_it_fresh() {
        scene().check(expect![[r"
            fresh
        "]]);
    }

    #[test]
    fn a_run_is_late_when_its_start_window_is_over() {
        let yesterday = |it: &mut Scene| {
            it.points = vec![point(at(19, 5))];
            it.jobs.clear();
        };
        let scene = |now| scene().with(yesterday).with(|it| it.now = now);
        scene(at(20, 6)).check(expect![[r"
            fresh
        "]]);
        scene(at(20, 6) + Duration::from_mins(5)).check(expect![[r"
            late since 2026-11-20 06:00 UTC
        "]]);
        // Since the first one that was missed, and not the last.
        scene(at(22, 12)).check(expect![[r"
            late since 2026-11-20 06:00 UTC
        "]]);
    }

    #[test]
    fn a_job_at_work_may_still_end_well_until_its_window_is_over() {
        let scene = |now| {
            scene().with(|it| {
                it.plans["daily"]["rules"]["night"]["complete_backup_window_minutes"] =
                    json!("600");
                it.points = vec![point(at(19, 5))];
                it.jobs = vec![job(at(20, 5), JobState::Open)];
                it.now = now;
            })
        };
        scene(at(20, 12)).check(expect![[r"
            fresh
        "]]);
        scene(at(20, 16)).check(expect![[r"
            late since 2026-11-20 06:00 UTC
        "]]);
    }

    #[test]
    fn a_job_of_the_next_run_does_not_excuse_the_last() {
        let scene = scene().with(|it| {
            it.plans["daily"]["rules"]["night"]["schedule_expression"] = json!("cron(0 * ? * * *)");
            it.points = vec![point(at(20, 9))];
            it.jobs = vec![job(at(20, 10), JobState::Expired), job(at(20, 12), JobState::Open)];
            it.now = at(20, 12) + Duration::from_mins(10);
        });
        scene.check(expect![[r"
            late since 2026-11-20 11:00 UTC
        "]]);
    }

    #[test]
    fn where_jobs_are_not_known_a_run_is_late_after_both_windows() {
        let scene = |now| {
            scene().with(|it| {
                it.place.jobs_unread = Some("nobody got in".to_owned());
                it.plans["daily"]["rules"]["night"]["complete_backup_window_minutes"] =
                    json!("600");
                it.points = vec![point(at(19, 5))];
                it.now = now;
            })
        };
        assert_eq!(scene(at(20, 15)).look(|_, it| it.state.clone()), State::Fresh);
        assert_eq!(scene(at(20, 16)).look(|_, it| it.state.key()), "late");
    }

    #[test]
    fn a_failed_job_is_failing_until_the_run_is_late() {
        let scene = |now| {
            scene().with(|it| {
                it.points = vec![point(at(19, 5))];
                it.jobs = vec![job(at(20, 5), JobState::Failed)];
                it.now = now;
            })
        };
        scene(at(20, 5) + Duration::from_mins(30)).check(expect![[r"
            failing
        "]]);
        scene(at(20, 7)).check(expect![[r"
            late since 2026-11-20 06:00 UTC
        "]]);
    }

    #[test]
    fn a_rule_without_a_schedule_runs_at_five() {
        let scene = scene().with(|it| {
            let mut rule = rule();
            rule.as_object_mut().unwrap().remove("schedule_expression");
            it.plans = json!({ "daily": plan(&[("night", rule)], by_tag()) });
            it.points = vec![point(at(19, 5))];
        });
        scene.check(expect![[r"
            late since 2026-11-20 06:00 UTC
        "]]);
    }

    #[test]
    fn runs_before_the_policy_or_the_tags_are_not_owed() {
        let new = |since, first_seen| {
            scene().fresh_start().with(|it| {
                it.place.since = Some(since);
                it.resource.first_seen = Some(first_seen);
            })
        };
        for scene in [new(at(20, 10), at(1, 0)), new(at(1, 0), at(20, 10))] {
            scene.check(expect![[r"
                first backup due at 2026-11-21 05:00 UTC
            "]]);
            assert_eq!(scene.look(|_, it| it.owed[0].next), Some(at(21, 5)));
        }
    }

    #[test]
    fn the_first_inventory_owes_what_is_after_the_newest_backup() {
        let scene = |points| {
            scene().with(|it| {
                it.resource.first_seen = None;
                it.points = points;
            })
        };
        scene(vec![point(at(18, 5))]).check(expect![[r"
            late since 2026-11-19 06:00 UTC
        "]]);
        scene(vec![]).check(expect![[r"
            first backup due at 2026-11-21 05:00 UTC
        "]]);
    }

    #[test]
    fn backups_of_one_of_the_same_name_before_do_not_count() {
        let scene = scene().with(|it| {
            it.resource.created = Some(at(20, 8));
            it.resource.first_seen = Some(at(20, 9));
        });
        scene.check(expect![[r"
            first backup due at 2026-11-21 05:00 UTC
        "]]);
    }

    #[test]
    fn what_cannot_be_restored_does_not_count() {
        for status in [PointStatus::Partial, PointStatus::Expired, PointStatus::Changing] {
            let scene = scene().with(|it| it.points[0].status = status);
            assert_eq!(scene.look(|_, it| it.state.key()), "late", "{status:?}");
        }
    }

    #[test]
    fn a_status_that_is_new_makes_no_backup_and_no_failure() {
        let unknown = |it: &mut Scene| it.points[0].status = PointStatus::Unknown;
        scene().with(unknown).check(expect![[r"
            not known: AWS Backup has a status that this release does not know for a newer backup or job
        "]]);
        let waits =
            scene().fresh_start().with(|it| it.jobs = vec![job(at(20, 5), JobState::Unknown)]);
        waits.check(expect![[r"
            not known: AWS Backup has a status that this release does not know for a newer backup or job
        "]]);
        // A backup from before does not make it known, and one from after does.
        scene().with(unknown).with(|it| it.points.push(point(at(19, 5)))).check(expect![[r"
            not known: AWS Backup has a status that this release does not know for a newer backup or job
        "]]);
        scene().with(unknown).with(|it| it.points.push(point(at(20, 6)))).check(expect![[r"
            fresh
        "]]);
    }

    #[test]
    fn a_status_that_is_new_of_an_earlier_run_does_not_excuse_the_last_one() {
        let older = |it: &mut Scene| {
            it.points = vec![point(at(18, 5))];
            it.jobs.clear();
        };
        let unknown = RecoveryPoint { status: PointStatus::Unknown, ..point(at(19, 5)) };
        let backup = scene().with(older).with(|it| it.points.push(unknown.clone()));
        let job = scene().with(older).with(|it| it.jobs = vec![job(at(19, 5), JobState::Unknown)]);
        for scene in [backup, job] {
            scene.check(expect![[r"
                late since 2026-11-19 06:00 UTC
            "]]);
        }
        // That of the last run itself may be its backup.
        let of_last = RecoveryPoint { created: at(20, 5), ..unknown };
        let scene = scene().with(older).with(|it| it.points.push(of_last));
        assert_eq!(scene.look(|_, it| it.state.key()), "not-known");
    }

    #[test]
    fn a_job_in_a_state_that_is_new_does_not_undo_the_failure_before_it() {
        let scene = scene().with(|it| {
            it.points = vec![point(at(19, 5))];
            let failed = job(at(20, 5), JobState::Failed);
            let unknown = job(at(20, 5) + Duration::from_mins(10), JobState::Unknown);
            it.jobs = vec![failed, unknown];
            it.now = at(20, 5) + Duration::from_mins(30);
        });
        scene.check(expect![[r"
            failing
        "]]);
    }

    #[test]
    fn a_backup_counts_for_the_rule_that_made_it() {
        let weekly = |it: &mut Value| it["schedule_expression"] = json!("cron(0 5 ? * FRI *)");
        let mut other = rule();
        weekly(&mut other);
        let scene = scene().with(|it| {
            it.plans = json!({
                "daily": plan(&[("night", rule())], by_tag()),
                "weekly": plan(&[("friday", other)], by_tag()),
            });
            let by = Creator { plan: "Daily".to_owned(), rule: "night".to_owned() };
            it.points[0].by = Some(by.into());
            it.jobs.clear();
        });
        let states =
            scene.look(|_, it| it.owed.iter().map(|it| it.state.key()).collect::<Vec<_>>());
        assert_eq!(states, ["fresh", "late"]);
    }

    #[test]
    fn of_rules_that_overlap_the_one_that_keeps_longer_is_owed() {
        let mut monthly = rule();
        monthly["schedule_expression"] = json!("cron(30 5 20 * ? *)");
        monthly["target_backup_vault_name"] = json!("deep");
        monthly["lifecycle"]["delete_after_days"] = json!("365");
        let scene = scene().with(|it| {
            it.plans = json!({
                "daily": plan(&[("month", monthly), ("night", rule())], by_tag()),
            });
            let deep = KEEP.replace("keep", "deep");
            it.place.vaults.insert(deep.clone(), Found::Here(vault()));
            it.points = vec![
                point(at(19, 5)),
                RecoveryPoint { vault: deep.into(), ..point(at(20, 5) + Duration::from_mins(30)) },
            ];
            it.jobs.clear();
        });
        scene.check(expect![[r"
            fresh
        "]]);
    }

    #[test]
    fn a_rule_that_others_always_take_the_place_of_owes_nothing() {
        let mut longer = rule();
        longer["lifecycle"]["delete_after_days"] = json!("90");
        let scene = scene().with(|it| {
            let rules = [("longer", longer), ("night", rule())];
            it.plans = json!({ "daily": plan(&rules, by_tag()) });
        });
        assert_eq!(scene.look(|_, it| it.owed.len()), 1);
    }

    #[test]
    fn a_run_that_others_leave_once_a_week_is_owed() {
        let every_hour = |days: &str, keep: &str| {
            let mut rule = rule();
            rule["schedule_expression"] = json!(format!("cron(0 * ? * {days} *)"));
            rule["lifecycle"]["delete_after_days"] = json!(keep);
            rule
        };
        let scene = scene().with(|it| {
            let rules =
                [("longer", every_hour("MON-FRI", "90")), ("shorter", every_hour("*", "7"))];
            it.plans = json!({ "hourly": plan(&rules, by_tag()) });
            it.place.since = Some(at(14, 22));
            it.points.clear();
            it.jobs.clear();
        });
        let states = scene.look(|_, it| it.owed.iter().map(|it| it.state.clone()).collect());
        let states: Vec<State> = states;
        let runs = scene.look(|_, it| it.owed.iter().map(|it| (it.due, it.next)).collect());
        let runs: Vec<_> = runs;
        // The twentieth is a Friday: the last runs of the shorter rule were on Sunday.
        assert_eq!(states, [State::Late(at(16, 1)), State::Late(at(15, 0))]);
        assert_eq!(
            runs,
            [(Some(at(20, 10)), Some(at(20, 11))), (Some(at(15, 23)), Some(at(21, 0)))]
        );
    }

    #[test]
    fn a_schedule_without_runs_is_not_known_to_owe_anything() {
        let scene = scene().fresh_start().with(|it| {
            it.plans["daily"]["rules"]["night"]["schedule_expression"] =
                json!("cron(0 5 1 1 ? 2025)");
        });
        scene.check(expect![[r"
            not known: no run is due any more
        "]]);
    }

    #[test]
    fn a_maximum_age_is_asked_for_beside_the_rules() {
        let scene = |of| scene().with(|it| it.asks.objectives = vec![Objective { of, hours: 4 }]);
        scene(ResourceScope::Tag("tier".to_owned(), "gold".to_owned())).check(expect![[r"
            late since 2026-11-20 09:00 UTC
        "]]);
        scene(ResourceScope::Kind("EBS".parse().unwrap())).check(expect![[r"
            late since 2026-11-20 09:00 UTC
        "]]);
        scene(ResourceScope::Kind("S3".parse().unwrap())).check(expect![[r"
            fresh
        "]]);
    }
}

mod continuous {
    use super::*;

    fn bucket(status: PointStatus) -> Scene {
        let mut rule = copying(rule(), COPIES);
        rule["enable_continuous_backup"] = json!("true");
        scene().with(|it| {
            it.plans = json!({
                "daily": plan(&[("night", rule)], by_types(&["arn:aws:s3:::*"])),
            });
            it.resource.arn = BUCKET.to_owned();
            let point = point(at(2, 5));
            it.points = vec![RecoveryPoint { status, is_continuous: true, ..point }];
        })
    }

    #[test]
    fn a_continuous_backup_that_goes_on_is_fresh_however_old_it_is() {
        let scene = bucket(PointStatus::Usable);
        assert!(scene.look(|_, it| it.state == State::Fresh && it.owed[0].is_continuous));
        let scene = bucket(PointStatus::Stopped);
        assert_eq!(scene.look(|_, it| it.state.key()), "late");
    }

    #[test]
    fn every_job_of_a_continuous_backup_owes_a_copy() {
        let scene = bucket(PointStatus::Usable).with(|it| {
            it.points.push(RecoveryPoint { vault: COPIES.into(), ..point(at(19, 5)) });
        });
        scene.check(expect![[r"
            fresh
              copy: late since 2026-11-20 07:10 UTC
        "]]);
    }

    #[test]
    fn a_plan_whose_backups_are_deleted_too_soon_in_cold_storage_is_refused() {
        for (delete, keys) in [("96", &["plan-refused"][..]), ("97", &[])] {
            let lifecycle =
                json!({ "move_to_cold_storage_after_days": "7", "delete_after_days": delete });
            let mut short = rule();
            short["lifecycle"] = lifecycle.clone();
            let mut copy = copying(rule(), COPIES);
            copy["copy_actions"][COPIES]["lifecycle"] = lifecycle;
            for rule in [short, copy] {
                let scene = scene().with(|it| {
                    it.plans = json!({ "daily": plan(&[("night", rule)], by_tag()) });
                });
                let obstacles = scene.look(|_, it| it.owed[0].obstacles.clone());
                assert_eq!(obstacles.iter().map(Obstacle::key).collect::<Vec<_>>(), keys);
            }
        }
    }

    #[test]
    fn a_multi_az_cluster_is_backed_up_and_not_copied() {
        let cluster = "arn:aws:rds:eu-west-1:200000000001:cluster:spread";
        let scene = scene().with(|it| {
            it.resource.arn = cluster.to_owned();
            it.resource.kind = Some("RDS".parse().unwrap());
            it.plans = json!({ "daily": plan(&[("night", copying(rule(), COPIES))], by_tag()) });
        });
        let copies = scene.look(|_, it| it.owed[0].copies[0].obstacles.clone());
        assert_eq!(copies.iter().map(Obstacle::key).collect::<Vec<_>>(), ["not-copied"]);
    }

    #[test]
    fn a_plan_with_continuous_backups_in_two_vaults_is_refused() {
        let mut one = rule();
        one["enable_continuous_backup"] = json!("true");
        let mut other = one.clone();
        other["target_backup_vault_name"] = json!("copies");
        let scene = scene().with(|it| {
            it.plans = json!({ "daily": plan(&[("one", one), ("other", other)], by_tag()) });
            let copies = KEEP.replace("keep", "copies");
            it.place.vaults.insert(copies, Found::Here(vault()));
        });
        let obstacles = scene.look(|_, it| it.owed[0].obstacles.clone());
        assert_eq!(obstacles.iter().map(Obstacle::key).collect::<Vec<_>>(), ["plan-refused"]);
    }
}

mod copying {
    use super::*;

    fn copied(copies: &[SystemTime]) -> Scene {
        scene().with(|it| {
            it.plans = json!({ "daily": plan(&[("night", copying(rule(), COPIES))], by_tag()) });
            let copies = copies.iter();
            let copies = copies.map(|at| RecoveryPoint { vault: COPIES.into(), ..point(*at) });
            it.points.extend(copies);
        })
    }

    #[test]
    fn a_copy_has_the_time_of_its_backup() {
        copied(&[at(20, 5)]).check(expect![[r"
            fresh
              copy: fresh
        "]]);
        copied(&[at(19, 5)]).check(expect![[r"
            fresh
              copy: late since 2026-11-20 07:10 UTC
        "]]);
        copied(&[]).check(expect![[r"
            fresh
              copy: missing
        "]]);
    }

    #[test]
    fn a_copy_with_a_status_that_is_new_is_neither_there_nor_missing() {
        let mut strange = copied(&[at(20, 5)]);
        strange.points[1].status = PointStatus::Unknown;
        strange.check(expect![[r"
            fresh
              copy: not known: AWS Backup has a status that this release does not know for a newer backup or job
        "]]);
        // That of an earlier backup is not the copy of this one.
        let mut earlier = copied(&[at(19, 5)]);
        earlier.points[1].status = PointStatus::Unknown;
        earlier.check(expect![[r"
            fresh
              copy: missing
        "]]);
    }

    #[test]
    fn a_copy_is_not_due_while_it_is_begun_or_at_work() {
        copied(&[]).with(|it| it.now = at(20, 7)).check(expect![[r"
            fresh
              copy: no backup to copy yet
        "]]);
        let open = Job { vault: COPIES.into(), ..job(at(20, 6), JobState::Open) };
        copied(&[at(19, 5)]).with(|it| it.copy_jobs = vec![open]).check(expect![[r"
            fresh
              copy: fresh
        "]]);
    }

    #[test]
    fn backups_of_other_rules_are_not_owed_as_copies() {
        let by =
            |rule: &str| Some(Creator { plan: "daily".to_owned(), rule: rule.to_owned() }.into());
        let mut hourly = rule();
        hourly["schedule_expression"] = json!("cron(30 * ? * * *)");
        hourly["lifecycle"]["delete_after_days"] = json!("7");
        let scene = copied(&[at(20, 5)]).with(|it| {
            it.plans["daily"]["rules"]["hour"] = hourly;
            for it in &mut it.points {
                it.by = by("night");
            }
            it.points.push(RecoveryPoint { by: by("hour"), ..point(at(20, 9)) });
        });
        let copies = scene.look(|_, it| {
            let copies = it.owed.iter().flat_map(|it| &it.copies);
            copies.map(|it| it.state.clone()).collect::<Vec<_>>()
        });
        assert_eq!(copies, [CopyState::Fresh]);
    }

    #[test]
    fn what_is_in_the_way_of_copies_is_told() {
        let gone = |it: &mut Scene| {
            it.place.vaults.insert(COPIES.to_owned(), Found::Absent);
            it.place.organization =
                Some(Arc::new(["200000000001"].map(|it| it.parse().unwrap()).into()));
            it.place.is_cross_account = Some(false);
        };
        copied(&[]).with(gone).check(expect![[r"
            fresh
              copy: the destination does not exist
                but copies to other accounts are switched off in the organization
                but the account 300000000001 is not in the organization
                but there is no vault `arn:aws:backup:eu-north-1:300000000001:backup-vault:copies`
        "]]);
        let strict = |it: &mut Scene| {
            let lock = Lock { is_compliance: true, min_days: Some(60), max_days: None };
            let vault = Vault {
                key: Key::Aws,
                lock: Some(lock),
                admits: Some(false),
                is_air_gapped: false,
            };
            it.place.vaults.insert(COPIES.to_owned(), Found::Here(vault));
        };
        copied(&[]).with(strict).check(expect![[r"
            fresh
              copy: missing
                but `arn:aws:backup:eu-north-1:300000000001:backup-vault:copies` has a key of AWS, and this type is copied to other accounts only with one of yours
                but the access policy of `arn:aws:backup:eu-north-1:300000000001:backup-vault:copies` does not let the organization copy there
                but the lock of `arn:aws:backup:eu-north-1:300000000001:backup-vault:copies` refuses it: it keeps backups for 30 days, and 60 is the least
        "]]);
    }

    #[test]
    fn databases_are_not_copied_to_another_account_and_region_at_once() {
        let scene = copied(&[]).with(|it| {
            it.resource.arn = CLUSTER.to_owned();
            it.resource.kind = Some("Aurora".parse().unwrap());
        });
        let obstacles = scene.look(|_, it| it.owed[0].copies[0].obstacles.clone());
        assert_eq!(obstacles.iter().map(Obstacle::key).collect::<Vec<_>>(), ["one-way"]);
    }

    #[test]
    fn an_air_gapped_vault_is_a_copy_or_takes_the_place_of_the_vault() {
        let scene = |arn: &str, kind: &str| {
            scene().fresh_start().with(|it| {
                let vault = "arn:aws:backup:$region:$account:backup-vault:gap";
                it.plans["daily"]["rules"]["night"]
                    ["target_logically_air_gapped_backup_vault_arn"] = json!(vault);
                it.place.vaults.insert(GAP.to_owned(), Found::Absent);
                it.resource.arn = arn.to_owned();
                it.resource.kind = Some(kind.parse().unwrap());
                it.resource.first_seen = Some(at(20, 11));
            })
        };
        scene(VOLUME, "EBS").check(expect![[r"
            first backup due at 2026-11-21 05:00 UTC
              copy: the destination does not exist
                but there is no vault `arn:aws:backup:eu-west-1:200000000001:backup-vault:gap`
        "]]);
        scene(BUCKET, "S3").check(expect![[r"
            first backup due at 2026-11-21 05:00 UTC
              but there is no vault `arn:aws:backup:eu-west-1:200000000001:backup-vault:gap`
        "]]);
    }
}

mod knowing {
    use super::*;

    #[test]
    fn what_is_in_the_way_of_the_next_backup_is_told_beside_the_state() {
        let scene = scene().with(|it| {
            it.place.vaults.insert(KEEP.to_owned(), Found::Absent);
            it.place.roles.insert(ROLE.to_owned(), Found::Here(false));
        });
        scene.check(expect![[r"
            fresh
              but there is no vault `arn:aws:backup:eu-west-1:200000000001:backup-vault:keep`
              but the role `arn:aws:iam::200000000001:role/backup` does not trust AWS Backup
        "]]);
        assert!(!scene.look(|_, it| it.is_able()));
    }

    #[test]
    fn one_selection_with_a_good_role_is_enough() {
        let mut selections = by_tag();
        selections["resources"] = by_types(&["arn:aws:ec2:*:*:volume/*"])["resources"].clone();
        selections["resources"]["types"]["iam_role_arn"] = json!("arn:aws:iam::$account:role/none");
        let scene = scene()
            .with(|it| it.plans = json!({ "daily": plan(&[("night", rule())], selections) }));
        assert!(scene.look(|_, it| it.is_able() && it.taken.len() == 2));
    }

    #[test]
    fn what_was_not_looked_at_is_not_known_to_be_missing() {
        let scene = scene().with(|it| {
            it.place.vaults.clear();
            it.place.roles.clear();
        });
        let all = scene.look(|_, it| it.owed[0].obstacles.clone());
        assert_eq!(all.iter().map(Obstacle::is_certain).collect::<Vec<_>>(), [false, false]);
    }

    #[test]
    fn recovery_points_that_could_not_be_read_make_the_state_unknown() {
        let why = "AWS says no".to_owned();
        let scene = scene().with(|it| it.place.unread = [(KEEP.to_owned(), why)].into());
        scene.check(expect![[r"
            not known: AWS says no
        "]]);
    }

    #[test]
    fn tags_that_could_not_be_read_matter_only_where_tags_decide() {
        scene().with(|it| it.resource.tags = None).check(expect![[r"
            not known: its tags could not be read
        "]]);
        let scene = scene().with(|it| {
            let named = by_types(&["arn:aws:ec2:*:*:volume/*"]);
            it.plans = json!({ "daily": plan(&[("night", rule())], named) });
            it.resource.tags = None;
        });
        scene.check(expect![[r"
            fresh
        "]]);
    }

    #[test]
    fn a_policy_that_is_not_known_makes_the_state_unknown() {
        let scene = scene();
        let judge = Judge::new(&scene.place, Err("it is withheld"), &scene.asks, scene.now);
        let coverage = judge.judge(&scene.resource, Evidence::default());
        assert_eq!(coverage.state.to_string(), "not known: it is withheld");
    }

    #[test]
    fn the_type_of_a_cluster_has_to_be_told() {
        scene().with(|it| it.resource.arn = CLUSTER.to_owned()).check(expect![[r"
            not known: its type could not be looked at
        "]]);
    }

    #[test]
    fn what_aws_backup_does_not_back_up_here_is_not_supported() {
        let queue = "arn:aws:sqs:eu-west-1:200000000001:orders";
        let unsupported = |it: &mut Scene| it.place.supported = Some([].into());
        for scene in
            [scene().with(|it| it.resource.arn = queue.to_owned()), scene().with(unsupported)]
        {
            scene.check(expect![[r"
                not supported here
            "]]);
        }
    }

    #[test]
    fn a_tag_that_a_template_names_excludes_what_nothing_takes() {
        let excluded = |it: &mut Scene| it.asks.excluded = vec!["no-backup".parse().unwrap()];
        let scene = |having: &[(&str, &str)]| {
            scene().with(excluded).with(|it| it.resource.tags = Some(tags(having)))
        };
        scene(&[("no-backup", "scratch")]).check(expect![[r"
            excluded on purpose
        "]]);
        scene(&[("no-backup", "scratch"), ("tier", "gold")]).check(expect![[r"
            fresh
        "]]);
    }

    #[test]
    fn retention_counts_every_vault_and_what_could_not_be_deleted() {
        let lock = Lock { is_compliance: true, min_days: None, max_days: None };
        let locked = Vault { lock: Some(lock), ..vault() };
        let scene = scene().with(|it| {
            it.place.vaults.insert(COPIES.to_owned(), Found::Here(locked));
            it.points.extend([
                RecoveryPoint { vault: COPIES.into(), ..point(at(18, 5)) },
                RecoveryPoint { delete_at: None, ..point(at(19, 5)) },
                RecoveryPoint { status: PointStatus::Expired, ..point(at(1, 5)) },
            ]);
        });
        let kept = scene.look(|_, it| it.kept);
        assert_eq!((kept.points, kept.expired), (3, 1));
        assert_eq!((kept.oldest, kept.newest), (Some(at(18, 5)), Some(at(20, 5))));
        assert_eq!(kept.until, Some(Until::Ever));
        let until = at(18, 5) + Duration::from_hours(30 * 24);
        assert_eq!(kept.locked_until, Some(Until::At(until)));
    }

    #[test]
    fn plans_of_the_account_that_take_a_resource_as_well_are_named() {
        let selection = Selection { resources: vec![VOLUME.to_owned()], ..Selection::default() };
        let local = |name: &str, selections| LocalPlan {
            name: name.to_owned(),
            selections,
            opt_ins: BTreeMap::new(),
        };
        let other = Selection { resources: vec!["*".to_owned()], ..Selection::default() };
        let scene = scene().with(|it| {
            it.place.local = vec![local("by hand", vec![selection]), local("off", vec![other])];
        });
        assert_eq!(scene.look(|_, it| it.local.clone()), ["by hand"]);
    }
}

#[test]
fn every_state_is_told_from_every_other() {
    let all = State::ALL;
    let distinct = |it: Vec<String>| it.iter().collect::<std::collections::BTreeSet<_>>().len();
    assert_eq!(distinct(all.iter().map(|it| it.key().to_owned()).collect()), all.len());
    assert_eq!(distinct(all.iter().map(|it| it.rank().to_string()).collect()), all.len());
    assert_eq!(distinct(all.iter().map(|it| it.sign().to_owned()).collect()), all.len());
    assert_eq!(distinct(all.iter().map(ToString::to_string).collect()), all.len());
}

/// What `docs/coverage.md` has of the keys.
#[test]
fn a_judgement_is_one_object_of_json() {
    let scene = scene().with(|it| {
        it.plans = json!({ "daily": plan(&[("night", copying(rule(), COPIES))], by_tag()) });
        it.tests = vec![RestoreTest {
            at: at(15, 3),
            result: Some(TestResult::Successful),
            message: "it looks right".to_owned(),
        }];
    });
    let json = scene.look(|judge, coverage| judge.json(&scene.resource, coverage));
    expect![[r#"
        {
          "able": true,
          "account": "200000000001",
          "fine": false,
          "kept": {
            "expired": 0,
            "lockedUntil": null,
            "newest": "2026-11-20 05:00 UTC",
            "oldest": "2026-11-20 05:00 UTC",
            "points": 1,
            "until": "2026-12-20 05:00 UTC"
          },
          "localPlans": [],
          "nearest": null,
          "owed": [
            {
              "continuous": false,
              "copies": [
                {
                  "lastJob": null,
                  "newest": null,
                  "obstacles": [],
                  "since": null,
                  "state": "missing",
                  "vault": "arn:aws:backup:eu-north-1:300000000001:backup-vault:copies",
                  "why": null
                }
              ],
              "due": "2026-11-20 05:00 UTC",
              "lastJob": {
                "at": "2026-11-20 05:00 UTC",
                "message": "because",
                "state": "completed"
              },
              "newest": "2026-11-20 05:00 UTC",
              "next": "2026-11-21 05:00 UTC",
              "obstacles": [],
              "plan": "daily",
              "rule": "night",
              "since": null,
              "state": "fresh",
              "why": null
            }
          ],
          "region": "eu-west-1",
          "resource": "arn:aws:ec2:eu-west-1:200000000001:volume/vol-1",
          "restoreTest": {
            "at": "2026-11-15 03:00 UTC",
            "message": "it looks right",
            "result": "successful"
          },
          "since": null,
          "state": "fresh",
          "taken": [
            {
              "from": [],
              "optedIn": true,
              "plan": "daily",
              "selection": "gold"
            }
          ],
          "type": "EBS",
          "why": null
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&json).unwrap());
}

#[test]
fn a_selection_names_the_policies_that_have_a_part_in_it() {
    let origin = |policy: &str| Origin {
        operator: "@@assign",
        policy: policy.to_owned(),
        target: "r-ab12".to_owned(),
    };
    let setting = |path: &str, policies: &[&str]| Setting {
        path: path.to_owned(),
        value: json!(""),
        origins: policies.iter().map(|it| origin(it)).collect(),
    };
    let effective = Effective {
        document: json!({ "plans": { "daily": plan(&[("night", rule())], by_tag()) } }),
        settings: vec![
            setting("plans/daily/selections/tags/gold/tag_key", &["p-company0"]),
            setting("plans/daily/selections/tags/gold/tag_value", &["p-company0", "p-team0000"]),
            setting("plans/daily/selections/tags/golden/tag_key", &["p-other000"]),
        ],
        ..Effective::default()
    };
    let plans = BackupPlan::all(&effective);
    let origins = &plans[0].selections[0].origins;
    let policies: Vec<_> = origins.iter().map(|it| it.policy.as_str()).collect();
    assert_eq!(policies, ["p-company0", "p-team0000"]);
}

#[test]
fn a_copy_that_is_missing_is_not_fine_though_the_backup_is_fresh() {
    assert!(scene().look(|_, it| it.is_fine()));
    let copying = scene().with(|it| {
        it.plans = json!({ "daily": plan(&[("night", copying(rule(), COPIES))], by_tag()) });
    });
    assert!(copying.look(|_, it| it.state == State::Fresh && !it.is_fine()));
}

#[test]
fn the_clock_of_these_tests_is_right() {
    assert_eq!(utc(at(20, 12)), "2026-11-20 12:00 UTC");
}

#[test]
fn every_state_is_found_by_its_key_and_counted_in_one_group() {
    let states = State::ALL.map(|it| (it.key().to_owned(), 1)).into();
    for (group, keys) in [
        (StateGroup::Fresh, &["fresh", "first-due"][..]),
        (StateGroup::Late, &["failing", "late"]),
        (StateGroup::NotCovered, &["not-selected", "opted-out"]),
        (StateGroup::NotKnown, &["not-known"]),
        (StateGroup::LeftOut, &["excluded", "not-supported"]),
    ] {
        assert_eq!(group.keys(), keys);
        assert_eq!(group.count(&states), keys.len(), "{group:?}");
    }
    for state in State::ALL {
        assert_eq!(State::of_key(state.key()), state);
    }
    assert_eq!(StateGroup::NotKnown.count(&[("of-a-newer-program".to_owned(), 3)].into()), 3);
}

#[test]
fn a_selection_says_in_words_what_it_takes() {
    let some = |all: &[&str]| all.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    let tags =
        vec![("backup".to_owned(), "daily".to_owned()), ("backup".to_owned(), "weekly".to_owned())];
    let condition = |operator, key: &str, value: &str| Condition {
        operator,
        key: key.to_owned(),
        value: value.to_owned(),
    };
    let tagged = Selection { tags, ..Selection::default() };
    let narrowed = Selection {
        resources: some(&["arn:aws:ec2:*:*:volume/*"]),
        except: some(&["arn:aws:ec2:*:*:volume/vol-0a"]),
        conditions: vec![
            condition(Operator::NotEquals, "aws:ResourceTag/tier", "test"),
            condition(Operator::Like, "odd", "a*"),
        ],
        ..tagged.clone()
    };
    let all = Selection { resources: some(&["*"]), ..Selection::default() };
    let words = [tagged, narrowed, all, Selection::default()].map(|it| it.words());
    expect![[r"
        resources tagged `backup` = `daily` or `weekly`
        resources tagged `backup` = `daily` or `weekly`, and resources like `arn:aws:ec2:*:*:volume/*`, except `arn:aws:ec2:*:*:volume/vol-0a`; only where the tag `tier` is not `test` and `odd` is like `a*`
        every resource
        nothing, because it names neither tags nor resources
    "]]
    .assert_eq(&(words.join("\n") + "\n"));
}
