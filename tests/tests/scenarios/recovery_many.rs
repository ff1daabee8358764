//! Several people and attackers at once, and recovery points that end meanwhile.

use std::time::Duration;

use serde_json::Value;
use simulator::{Flaw, Moment, RestoreJob};
use tests::organization::backed_up;

use crate::recovery::{REGION, World};

const NIGHT: Duration = Duration::from_hours(24);

#[tokio::test]
async fn a_recovery_point_that_ends_between_plan_and_restore_is_told() {
    for (ends, told) in [
        (None, "take another recovery point that `org-backup points` shows"),
        (Some(Flaw::Deleting), "; hint: "),
    ] {
        let world = World::start().await;
        let volume = &world.night(&[("EBS", "ec2@volume/vol-1")])[0];
        let copy = world.held(volume, &world.central).await;
        let vault = world.copies();
        let restoring = ["restore", &copy, "--from", &vault, "--account", &world.new];
        let before = world.organization.journal().len();
        let shown = world.run(&restoring).await;
        assert_eq!(shown.code, 0, "{}\n{}", shown.text, shown.notes);
        let calls = world.organization.journal().len() - before;
        // The same calls, and the first one after the plan.
        let nth = u64::try_from(calls).unwrap() + 1;
        let mut hold = world.organization.hold(nth, Moment::Before);
        let end = async {
            assert!(hold.reached().await);
            let points = world.organization.recovery_points();
            for it in points.iter().filter(|it| it.vault == vault) {
                match ends {
                    Some(flaw) => world.organization.flaw(it.id, Some(flaw)),
                    None => world.organization.let_go_by(NIGHT * 400),
                }
            }
            drop(hold);
        };
        let confirmed = [&restoring[..], &["--yes"]].concat();
        let (run, ()) = tokio::join!(world.run(&confirmed), end);
        assert_eq!(run.code, 1, "{}\n{}", run.text, run.notes);
        assert!(run.text.contains("not restored: ") && run.text.contains(told), "{}", run.text);
        assert_eq!(world.came_back(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_vault_of_strangers_is_not_entered_and_what_to_do_is_told() {
    let world = World::start().await;
    world.night(&[("EBS", "ec2@volume/vol-1")]);
    let strange = format!("arn:aws:backup:{REGION}:999988887777:backup-vault:central");
    let run = world.recover(&["--from", &strange, "--yes"]).await;
    assert_eq!(run.code, 2, "{}\n{}", run.text, run.notes);
    let why = "the account 999988887777: cannot assume the role";
    assert!(run.notes.contains(why) && run.notes.contains("--central-role"), "{}", run.notes);
    let point = world.held(&world.arn("ec2@volume/vol-1"), &world.central).await;
    let run = world.run(&["restore", &point, "--from", &strange, "--yes"]).await;
    assert_eq!(run.code, 2, "{}\n{}", run.text, run.notes);
    assert!(run.notes.contains(why), "{}", run.notes);
    assert_eq!(world.count("StartCopyJob") + world.count("StartRestoreJob"), 0);
}

#[tokio::test]
async fn what_an_attacker_put_into_the_central_vault_is_passed_over() {
    let world = World::start().await;
    let volume = &world.night(&[("EBS", "ec2@volume/vol-1")])[0];
    let moment = world.now();
    let before = world.held(volume, &world.central).await;
    // Another account has its own backups in the same vault, and one of them has the same name.
    let other = world.organization.id("production-004");
    let same = format!("arn:aws:ec2:{REGION}:{other}:volume/vol-1");
    let tag = Some(("backup", "daily"));
    world.organization.put_resource(backed_up(&same, "EBS", &other, REGION, tag));
    world.organization.let_go_by(NIGHT);
    let all = world.recover(&[]).await;
    assert!(all.text.contains("had 1 resources with copies; 1 can be restored"), "{}", all.text);
    assert!(!all.text.contains(&same), "{}", all.text);
    // The newest is of the time after the attack, and the one before it is chosen by its time.
    assert!(!all.text.contains(&before), "{}", all.text);
    let at = world.recover(&["--at", &moment, "--yes", "--json"]).await;
    assert_eq!(at.code, 0, "{}\n{}", at.text, at.notes);
    assert!(at.printed[0].contains(&before), "{}", at.text);
    assert_eq!(world.came_back(), ["EBS"]);
}

#[tokio::test]
async fn two_people_who_restore_at_once_with_other_settings_are_told_of_each_other() {
    let world = World::start().await;
    let volume = &world.night(&[("EBS", "ec2@volume/vol-1")])[0];
    let own = world.held(volume, &world.lost).await;
    world.organization.pace_jobs(Duration::from_hours(1), Duration::from_hours(1));
    let restoring = ["restore", &own, "--account", &world.lost, "--yes"];
    let with = |setting: &'static str| [&restoring[..], &["--set", setting]].concat();
    let (one, two) = (with("volumeType=gp3"), with("volumeType=io1"));
    let meanwhile = async {
        world.reached("StartRestoreJob", 1).await;
        let second = world.run(&two).await;
        // Somebody who wants the same joins, and who wants another one as well says so.
        let again = [&two[..], &["--again", "2"]].concat();
        world.organization.pace_jobs(Duration::ZERO, Duration::ZERO);
        let third = world.run(&again).await;
        world.organization.let_go_by(Duration::from_hours(2));
        (second, third)
    };
    let (first, (second, third)) = tokio::join!(world.run(&one), meanwhile);
    assert_eq!(first.code, 0, "{}\n{}", first.text, first.notes);
    assert_eq!(second.code, 1, "{}\n{}", second.text, second.notes);
    for told in ["somebody else restores it", "with other settings", "--again 2"] {
        assert!(second.text.contains(told), "{}", second.text);
    }
    assert_eq!(third.code, 0, "{}\n{}", third.text, third.notes);
    assert_eq!(world.count("StartRestoreJob"), 2);
}

#[tokio::test]
async fn a_restore_in_a_state_that_is_new_is_named_and_not_joined() {
    let world = World::start().await;
    let volume = &world.night(&[("EBS", "ec2@volume/vol-1")])[0];
    let own = world.held(volume, &world.lost).await;
    let strange = RestoreJob {
        status: "STEWED".to_owned(),
        recovery_point: Some(own.clone()),
        plan: None,
        ..RestoreJob::test("EBS", volume)
    };
    world.organization.backup(|it| {
        it.restore_jobs_mut().create(&world.lost, REGION, "strange", strange);
    });
    let restoring = ["restore", &own, "--account", &world.lost, "--yes"];
    let refused = world.run(&restoring).await;
    assert_eq!(refused.code, 2, "{}\n{}", refused.text, refused.notes);
    let told = "not followed: the restore job strange of the same recovery point is in a state that \
                this release does not know (AWS calls it STEWED); hint: look at the job in AWS \
                Backup, or run again with --again 2 to begin another";
    assert!(refused.text.contains(told), "{}", refused.text);
    assert_eq!(world.count("StartRestoreJob"), 0);
    let again = world.run(&[&restoring[..], &["--again", "2"]].concat()).await;
    assert_eq!(again.code, 0, "{}\n{}", again.text, again.notes);
    assert_eq!(world.count("StartRestoreJob"), 1);
}

#[tokio::test]
async fn ten_thousand_recovery_points_are_read_and_the_newest_of_each_resource_is_planned() {
    let world = World::start().await;
    let names: Vec<_> = (0..500).map(|it| format!("ec2@volume/vol-{it:03}")).collect();
    let resources: Vec<_> = names.iter().map(|it| ("EBS", it.as_str())).collect();
    let arns = world.night(&resources);
    let first = world.held(&arns[7], &world.central).await;
    world.organization.let_go_by(NIGHT * 19);
    let held = world.organization.recovery_points();
    let held = held.iter().filter(|it| it.vault == world.copies()).count();
    assert_eq!(held, 10_000);

    let calls = world.count("ListRecoveryPointsByBackupVault");
    let run = world.recover(&["--json"]).await;
    assert_eq!(run.code, 0, "{}\n{}", run.text, run.notes);
    let planned: Value = serde_json::from_str(&run.printed[0]).unwrap();
    assert_eq!(planned.as_array().unwrap().len(), 500);
    assert_eq!(world.count("ListRecoveryPointsByBackupVault") - calls, 10);

    // Each of them can be restored, also the oldest.
    let restoring = ["restore", &first, "--from", &world.copies(), "--account", &world.new];
    let run = world.run(&[&restoring[..], &["--yes"]].concat()).await;
    assert_eq!(run.code, 0, "{}\n{}", run.text, run.notes);
    assert_eq!(world.came_back(), ["EBS"]);
}
