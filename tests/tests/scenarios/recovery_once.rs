//! A restore that is interrupted, that loses a reply or that two people begin is made once.

use std::pin::pin;
use std::time::Duration;

use simulator::Fault;
use tests::command::Run;

use crate::recovery::{REGION, World};

/// A time after which AWS Backup does not know a token any more.
const FORGOTTEN: Duration = Duration::from_hours(2);

/// A volume of the account, with its recovery point, whose restores take longer than tokens are known.
async fn slow() -> (World, String) {
    let world = World::start().await;
    let [volume] = world.night(&[("EBS", "ec2@volume/vol-1")]).try_into().unwrap();
    let point = world.held(&volume, &world.lost).await;
    world.organization.pace_jobs(FORGOTTEN * 4, Duration::ZERO);
    (world, point)
}

/// Runs a command that begins or joins a restore job and cannot follow it.
async fn cut(world: &World, arguments: &[&str]) -> Run {
    world.organization.fail(Fault::error("DescribeRestoreJob", "InvalidRequestException"));
    let run = world.run(arguments).await;
    assert_eq!(run.code, 2, "{}\n{}", run.text, run.notes);
    run
}

/// Runs a command until the job that it follows has ended.
async fn whole(world: &World, arguments: &[&str]) -> Run {
    let looks = world.count("DescribeRestoreJob");
    let mut run = pin!(world.run(arguments));
    let run = tokio::select! {
        run = &mut run => run,
        () = world.reached("DescribeRestoreJob", looks + 1) => {
            world.organization.let_go_by(FORGOTTEN * 5);
            run.await
        }
    };
    assert_eq!(run.code, 0, "{}\n{}", run.text, run.notes);
    run
}

#[tokio::test]
async fn a_job_at_work_is_joined_with_again_also_when_its_token_is_forgotten() {
    let (world, point) = slow().await;
    let again = |word| ["restore", &point, "--account", &world.lost, "--yes", "--again", word];
    cut(&world, &again("2")).await;
    world.organization.let_go_by(FORGOTTEN);
    let same = cut(&world, &again("2")).await;
    let other = whole(&world, &again("3")).await;
    for run in [same, other] {
        assert!(run.notes.contains("joins the restore job"), "{}", run.notes);
    }
    assert_eq!(world.organization.restore_jobs().len(), 1);
}

#[tokio::test]
async fn a_restore_that_ended_is_repeated_with_again_and_named() {
    let (world, point) = slow().await;
    let restoring = ["restore", &point, "--account", &world.lost, "--yes"];
    let again = [&restoring[..], &["--again", "2"]].concat();
    whole(&world, &restoring).await;
    let second = whole(&world, &again).await;
    let named = format!(
        "the restore job {} restored it with the same settings, and --again restores it once more",
        world.organization.restore_jobs()[0].name()
    );
    assert!(second.notes.contains(&named), "{}", second.notes);
    // Without `--again`, the newest is joined.
    let joined = world.run(&restoring).await;
    let newest = world.organization.restore_jobs()[1].name();
    let told = format!("joins the restore job {newest}");
    assert!(joined.notes.contains(&told), "{}", joined.notes);
    assert_eq!(world.organization.restore_jobs().len(), 2);
}

#[tokio::test]
async fn an_own_job_is_joined_beside_a_newer_one_with_other_settings() {
    let (world, point) = slow().await;
    let restoring = ["restore", &point, "--account", &world.lost, "--yes"];
    let with = |setting: &'static str| [&restoring[..], &["--set", setting]].concat();
    let own = with("volumeType=gp3");
    cut(&world, &own).await;
    world.organization.let_go_by(Duration::from_mins(1));
    cut(&world, &[&with("volumeType=io1")[..], &["--again", "2"]].concat()).await;
    let joined = whole(&world, &own).await;
    assert!(joined.notes.contains("joins the restore job"), "{}", joined.notes);
    assert_eq!(world.organization.restore_jobs().len(), 2);
}

#[tokio::test]
async fn a_file_system_that_is_at_work_is_joined_with_again() {
    let world = World::start().await;
    let resource = ("EFS", "elasticfilesystem@file-system/fs-1");
    let [system] = world.night(&[resource]).try_into().unwrap();
    let point = world.held(&system, &world.lost).await;
    world.organization.pace_jobs(FORGOTTEN * 4, Duration::ZERO);
    let restoring = ["restore", &point, "--account", &world.lost, "--yes"];
    cut(&world, &restoring).await;
    let joined = cut(&world, &[&restoring[..], &["--again", "2"]].concat()).await;
    assert!(joined.notes.contains("joins the restore job"), "{}", joined.notes);
    assert_eq!(world.organization.restore_jobs().len(), 1);
}

#[tokio::test]
async fn recover_with_again_repeats_what_is_gone_and_nothing_that_is_there() {
    let world = World::start().await;
    world.night(&[("EBS", "ec2@volume/vol-1"), ("DynamoDB", "dynamodb@table/carts")]);
    let first = world.recover(&["--yes"]).await;
    assert_eq!(first.code, 0, "{}\n{}", first.text, first.notes);
    let table = format!("arn:aws:dynamodb:{REGION}:{}:table/carts", world.new);
    assert!(world.organization.delete_resource(&table));
    for _run in 0..2 {
        let again = world.recover(&["--yes", "--again", "2"]).await;
        assert_eq!(again.code, 0, "{}\n{}", again.text, again.notes);
        assert_eq!(world.came_back(), ["DynamoDB", "EBS"]);
        assert_eq!(world.organization.restore_jobs().len(), 3);
        world.organization.let_go_by(FORGOTTEN);
    }
}
