//! A restore that is interrupted, that loses a reply or that two people begin is made once.

use std::pin::pin;
use std::process::Stdio;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use simulator::{Body, Failure, Fault, Garbled, Kind, Moment};
use tests::command::Run;

use crate::recovery::{REGION, World};

/// A time after which AWS Backup does not know a token any more.
const FORGOTTEN: Duration = Duration::from_hours(2);

/// How many worlds are tried at once.
const AT_ONCE: usize = 4;

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

/// The copy of a volume, and the command that restores it in another account.
async fn copied() -> (World, [String; 3]) {
    let world = World::start().await;
    let [volume] = world.night(&[("EBS", "ec2@volume/vol-1")]).try_into().unwrap();
    let copy = world.held(&volume, &world.central).await;
    let (vault, new) = (world.copies(), world.new.clone());
    (world, [copy, vault, new])
}

fn restoring([copy, vault, new]: &[String; 3]) -> [&str; 7] {
    ["restore", copy, "--from", vault, "--account", new, "--yes"]
}

/// How many copies to the new account were made, and how many restores.
fn made(world: &World) -> (usize, usize) {
    let copies = world.organization.copy_jobs().into_iter();
    let back = copies.filter(|it| it.destination.contains(&world.new)).count();
    (back, world.organization.restore_jobs().len())
}

/// Kills a restore when its `nth` call is at a moment, and runs it again when no token is known any
/// more. Returns what is wrong with that.
async fn killed((nth, moment): (u64, Moment)) -> Option<String> {
    let (world, place) = copied().await;
    let arguments = restoring(&place);
    let mut hold = world.organization.hold(nth, moment);
    let mut command = world.command(&arguments);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    assert!(hold.reached().await);
    child.kill().unwrap();
    let _status = child.wait().unwrap();
    drop(hold);
    world.organization.let_go_by(FORGOTTEN);
    let again = world.run(&arguments).await;
    let is_well = again.code == 0 && made(&world) == (1, 1) && world.came_back() == ["EBS"];
    (!is_well).then(|| {
        let (made, Run { code, text, notes, .. }) = (made(&world), again);
        format!("killed at the call {nth} ({moment:?}): {code}, {made:?}: {text}\n{notes}")
    })
}

#[tokio::test]
async fn a_restore_that_is_killed_at_any_call_goes_on_with_its_jobs() {
    let (world, place) = copied().await;
    let before = world.organization.journal().len();
    let run = world.run(&restoring(&place)).await;
    assert_eq!(run.code, 0, "{}\n{}", run.text, run.notes);
    let calls = world.organization.journal().split_off(before);
    let at = |operation| calls.iter().position(|it| it.operation == operation).unwrap();
    let [copy, restore] = ["StartCopyJob", "StartRestoreJob"].map(at);
    // A call has no effect before its work is done but that of the calls before it.
    let all = (copy..=restore + 2).map(|it| (u64::try_from(it).unwrap() + 1, Moment::After));
    let all = stream::iter(all).map(killed).buffer_unordered(AT_ONCE).collect::<Vec<_>>();
    let wrong: Vec<_> = all.await.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Loses the replies of an operation in a restore, and runs it once more. Returns what is wrong.
async fn unanswered((operation, fault): (&str, Fault)) -> Option<String> {
    let (world, place) = copied().await;
    let arguments = restoring(&place);
    let why = format!("{operation}: {fault:?}");
    world.organization.fail(fault);
    let first = world.run(&arguments).await;
    world.organization.clear_faults();
    let second = world.run(&arguments).await;
    let is_told = first.code == 0 || first.text.contains("run the same command again");
    let is_well = second.code == 0 && made(&world) == (1, 1) && world.came_back() == ["EBS"];
    (!is_told || !is_well).then(|| {
        let made = made(&world);
        format!("{why}: {made:?}\n{}\n{}\n{}", first.text, second.text, second.notes)
    })
}

#[tokio::test]
async fn a_reply_that_is_lost_begins_no_second_job() {
    let broken = Failure { status: 500, ..Failure::new("InternalFailure") };
    let kinds = [
        Kind::DropAfter,
        Kind::ErrorAfter(broken),
        Kind::Garbled(Garbled { status: 502, body: Body::Html, done: true }),
    ];
    let all = ["StartCopyJob", "StartRestoreJob"].into_iter().flat_map(|it| {
        let faults = kinds.clone().into_iter().flat_map(|kind| {
            let once = Fault::new(it, kind);
            [once.clone().forever(), once]
        });
        faults.map(move |fault| (it, fault)).collect::<Vec<_>>()
    });
    let all = stream::iter(all).map(unanswered).buffer_unordered(AT_ONCE).collect::<Vec<_>>();
    let wrong: Vec<_> = all.await.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn two_people_who_restore_the_same_at_once_follow_one_job() {
    let (world, place) = copied().await;
    world.organization.pace_jobs(Duration::from_secs(2), Duration::ZERO);
    // Each has looked for jobs before the other has begun one.
    for operation in ["StartCopyJob", "StartRestoreJob"] {
        world.organization.fail(Fault::delay(operation, Duration::from_secs(2)).times(2));
    }
    let arguments = restoring(&place);
    let (one, two) = tokio::join!(world.run(&arguments), world.run(&arguments));
    let made_by = |run: &Run| {
        assert_eq!(run.code, 0, "{}\n{}", run.text, run.notes);
        run.text.lines().find(|it| it.contains(": restored as ")).unwrap().to_owned()
    };
    assert_eq!(made_by(&one), made_by(&two));
    assert_eq!(made(&world), (1, 1));
}

#[tokio::test]
async fn two_people_who_recover_an_account_at_once_make_everything_once() {
    let world = World::start().await;
    let things = [("EBS", "ec2@volume/vol-1"), ("DynamoDB", "dynamodb@table/carts")];
    world.night(&things);
    world.organization.pace_jobs(Duration::from_secs(1), Duration::ZERO);
    let (one, two) = tokio::join!(world.recover(&["--yes"]), world.recover(&["--yes"]));
    for run in [one, two] {
        assert_eq!(run.code, 0, "{}\n{}", run.text, run.notes);
        assert!(run.text.contains("restored: 2 of 2"), "{}", run.text);
    }
    assert_eq!((made(&world), world.came_back()), ((2, 2), vec!["DynamoDB".into(), "EBS".into()]));
}
