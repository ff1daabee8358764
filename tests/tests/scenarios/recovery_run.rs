//! Runs of `restore` and `recover` as a person has them: on a terminal, into another Region, several
//! jobs at once, with their progress.

use std::time::Duration;

use simulator::{KeyType, Vault};
use tests::command::{Run, ran, typing};
use tokio::time::interval;

use crate::recovery::{World, endings};

const OTHER_REGION: &str = "us-east-1";

/// Runs a command on a terminal on which a person types this answer to its question.
async fn answered(world: &World, arguments: &[&str], answer: &str) -> Run {
    let command = world.command(arguments);
    ran(&world.organization, typing(200, answer, &command)).await
}

#[tokio::test]
async fn what_a_person_confirms_at_a_terminal_is_restored() {
    let world = World::start().await;
    let [volume] = world.night(&[("EBS", "ec2@volume/vol-1")]).try_into().unwrap();
    let point = world.held(&volume, &world.lost).await;
    let run = answered(&world, &["restore", &point, "--account", &world.lost], "yes\n").await;
    assert_eq!(run.code, 0, "{}", run.text);
    let order = ["from the recovery point ", "Type yes to do it", ": restored as arn:"];
    let at =
        order.map(|it| run.printed[0].find(it).unwrap_or_else(|| panic!("{it}: {}", run.text)));
    assert!(at.is_sorted(), "{at:?}: {}", run.text);
    assert_eq!(world.organization.restore_jobs().len(), 1);
    let recovering = ["recover", "--account", &world.lost, "--into", &world.new];
    let all = answered(&world, &recovering, "yes\n").await;
    assert_eq!(all.code, 0, "{}", all.text);
    assert!(all.text.contains("restored: 1 of 1"), "{}", all.text);
    assert_eq!(world.came_back(), ["EBS"]);
}

#[tokio::test]
async fn nothing_is_done_if_a_person_types_anything_but_yes() {
    let world = World::start().await;
    let [volume] = world.night(&[("EBS", "ec2@volume/vol-1")]).try_into().unwrap();
    let point = world.held(&volume, &world.lost).await;
    let restoring = ["restore", &point, "--account", &world.lost];
    let recovering = ["recover", "--account", &world.lost, "--into", &world.new];
    let before = world.organization.copy_jobs().len();
    // The last one is the end of the input.
    for answer in ["no\n", "y\n", "YES\n", "yes, please\n", "\n", "\u{4}"] {
        for command in [&restoring[..], &recovering] {
            let run = answered(&world, command, answer).await;
            assert_eq!(run.code, 0, "{answer:?}: {}", run.text);
            assert!(run.text.contains("nothing was done"), "{answer:?}: {}", run.text);
        }
    }
    assert_eq!(world.organization.copy_jobs().len(), before);
    assert!(world.organization.restore_jobs().is_empty());
}

/// Makes a vault in the other Region that takes copies of the central account, and opts in there.
fn put_vault(world: &World, account: &str, name: &str) {
    let back = serde_json::json!({ "Statement": [{
        "Effect": "Allow", "Action": "backup:CopyIntoBackupVault", "Resource": "*",
        "Principal": { "AWS": format!("arn:aws:iam::{}:root", world.central) },
    }] });
    let vault = Vault::new(name).key("arn:aws:kms:$region:$account:key/mine");
    let vault = vault.key_type(KeyType::CustomerManaged).access_policy(&back);
    let opt_in = ["EBS", "RDS"].map(|it| (it.to_owned(), true)).into();
    world.organization.backup(|it| {
        it.vaults_mut().create(account, OTHER_REGION, vault);
        it.update_region_settings(account, OTHER_REGION, &opt_in, &[].into()).unwrap();
    });
}

#[tokio::test]
async fn a_volume_is_copied_to_another_region_and_restored_in_a_zone_of_that() {
    let world = World::start().await;
    let [volume] = world.night(&[("EBS", "ec2@volume/vol-1")]).try_into().unwrap();
    put_vault(&world, &world.lost, "org-backup");
    let point = world.held(&volume, &world.lost).await;
    let there = ["restore", &point, "--account", &world.lost, "--region", OTHER_REGION, "--yes"];
    let zoneless = world.run(&there).await;
    assert_eq!(zoneless.code, 1, "{}\n{}", zoneless.text, zoneless.notes);
    assert!(zoneless.text.contains("--set availabilityZone=…"), "{}", zoneless.text);
    let zone = format!("availabilityZone={OTHER_REGION}a");
    let run = world.run(&[&there[..], &["--set", &zone]].concat()).await;
    assert_eq!(run.code, 0, "{}\n{}", run.text, run.notes);
    let made = world.organization.resources().into_iter();
    let made: Vec<_> = made.filter(|it| it.region == OTHER_REGION).collect();
    assert_eq!(made.len(), 1, "{made:?}");
    assert_eq!((made[0].kind.as_str(), &made[0].account), ("EBS", &world.lost));
}

#[tokio::test]
async fn a_database_takes_two_copies_to_another_account_and_region() {
    let world = World::start().await;
    let [database] = world.night(&[("RDS", "rds@db:ledger")]).try_into().unwrap();
    put_vault(&world, &world.central, "central");
    put_vault(&world, &world.new, "org-backup");
    let copy = world.held(&database, &world.central).await;
    let vault = world.copies();
    let there =
        ["restore", &copy, "--from", &vault, "--account", &world.new, "--region", OTHER_REGION];
    let run =
        world.run(&[&there[..], &["--set", "DBSubnetGroupName=default", "--yes"]].concat()).await;
    assert_eq!(run.code, 0, "{}\n{}", run.text, run.notes);
    let copies = world.organization.copy_jobs().into_iter();
    let there: Vec<_> =
        copies.map(|it| it.destination).filter(|it| it.contains(OTHER_REGION)).collect();
    let vault = |account: &str, name: &str| {
        format!("arn:aws:backup:{OTHER_REGION}:{account}:backup-vault:{name}")
    };
    assert_eq!(there, [vault(&world.central, "central"), vault(&world.new, "org-backup")]);
    let made = world.organization.resources().into_iter().filter(|it| it.account == world.new);
    let made: Vec<_> = made.map(|it| (it.kind, it.region)).collect();
    assert_eq!(made, [("RDS".to_owned(), OTHER_REGION.to_owned())]);
}

/// How often the command looked at jobs.
fn looks(world: &World) -> usize {
    world.count("DescribeCopyJob") + world.count("DescribeRestoreJob")
}

/// Waits until the command looked at jobs so many times more.
async fn looked(world: &World, times: usize) {
    let until = looks(world) + times;
    let mut pause = interval(Duration::from_millis(20));
    while looks(world) < until {
        pause.tick().await;
    }
}

/// How many jobs to bring copies back, and restore jobs, are at work, and how many ended.
fn jobs(world: &World) -> (usize, usize) {
    let copies = world.organization.copy_jobs().into_iter();
    let copies = copies.filter(|it| it.destination.contains(&world.new)).map(|it| it.ended);
    let restores = world.organization.restore_jobs().into_iter().map(|it| it.ended);
    let (ended, open): (Vec<_>, Vec<_>) = copies.chain(restores).partition(Option::is_some);
    (open.len(), ended.len())
}

#[tokio::test]
async fn as_many_jobs_are_open_at_once_as_concurrency_says() {
    let world = World::start().await;
    let names: Vec<_> = (0..4).map(|it| format!("ec2@volume/vol-{it}")).collect();
    world.night(&names.iter().map(|it| ("EBS", it.as_str())).collect::<Vec<_>>());
    world.organization.pace_jobs(Duration::from_hours(1), Duration::ZERO);
    let mut open = vec![];
    let watch = async {
        let mut ended = 0;
        let mut pause = interval(Duration::from_millis(20));
        loop {
            // Two jobs are at work that were not before, and what would begin beside them has begun.
            while jobs(&world).0 < 2 || jobs(&world).1 < ended {
                pause.tick().await;
            }
            looked(&world, 2).await;
            let (now_open, now_ended) = jobs(&world);
            open.push(now_open);
            ended = now_open + now_ended;
            world.organization.let_go_by(Duration::from_hours(1));
        }
    };
    let run = tokio::select! {
        run = world.recover(&["--yes", "--concurrency", "2"]) => run,
        () = watch => unreachable!("it watches for ever"),
    };
    assert_eq!(run.code, 0, "{}\n{}", run.text, run.notes);
    // Each volume has a copy job and a restore job.
    assert_eq!((jobs(&world), open), ((0, 8), vec![2; 4]));
}

#[tokio::test]
async fn progress_is_told_beside_the_findings() {
    let world = World::start().await;
    let volume = &world.night(&[("EBS", "ec2@volume/vol-1")])[0];
    world.organization.pace_jobs(Duration::from_hours(2), Duration::ZERO);
    let pass = async {
        for _half_of_a_job in 0..4 {
            looked(&world, 2).await;
            world.organization.let_go_by(Duration::from_hours(1));
        }
    };
    let (run, ()) = tokio::join!(world.recover(&["--yes", "--json"]), pass);
    assert_eq!(run.code, 0, "{}\n{}", run.text, run.notes);
    assert_eq!(endings(&run)[0].1["state"], "restored");
    let told = run.printed[1].lines().filter_map(|it| it.strip_prefix("progress: "));
    let told: Vec<_> = told.filter_map(|it| it.strip_prefix(&format!("{volume}: "))).collect();
    // What does not change is not told again, and AWS tells no percentage of copies.
    let states: Vec<_> = told.iter().map(|it| it.split_once(": ").unwrap().1).collect();
    assert!(states.windows(2).all(|it| it[0] != it[1]), "{told:?}");
    assert_eq!(
        (states[..2].to_vec(), states.last()),
        (vec!["open", "completed"], Some(&"completed, 100.00 %"))
    );
    for part in ["open, 0.0", "open, 50.0"] {
        assert!(states.iter().any(|it| it.starts_with(part) && it.ends_with(" %")), "{told:?}");
    }
    assert!(told[0].starts_with("copy job ") && told[2].starts_with("restore job "), "{told:?}");
}
