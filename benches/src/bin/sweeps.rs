//! Counts the calls of a daily sweep over every account, and derives the calls, the time and the
//! cost of one over 10,000 accounts: `make bench-coverage`.
//!
//! The real function sweeps small organizations of several sizes. A model that is linear in
//! accounts, batches and Regions is made of them. It has to predict the calls of two further sizes
//! exactly, and is then asked for the large one.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark that cannot measure has failed, and its counts are small"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use ::tests::organization::{Organization, backed_up};
use ::tests::reattach::TOPIC;
use ::tests::role::STATE_BUCKET;
use ::tests::sweeps::{CHAT_TOPIC, Sweeps};
use clap::Parser;
use plan::member_accounts::run::BATCH;
use policy::partition::Partition;
use report::history::WAITING;
use serde_json::json;
use simulator::{
    AccountState, BACKUP_POLICY, Hub, KeyManager, KeyType, OPERATIONS, Operation, Role, Service,
    Settings, Vault,
};

/// Measures the cost of a daily sweep over every account.
#[derive(Parser)]
struct SweepArguments {
    /// The page that is written
    #[arg(long, default_value = "docs/benchmarks/coverage.md")]
    page: PathBuf,
    /// The page that has the prices
    #[arg(long, default_value = "docs/costs.md")]
    prices: PathBuf,
}

/// The Regions that every account has.
static REGIONS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let regions = Partition::Commercial.regions();
    regions.filter(|it| !Partition::has_to_be_enabled(it)).collect()
});

/// The names of the steps of a sweep.
const STEPS: [&str; 3] = ["begin", "batches", "finish"];

/// The recovery points of a page of AWS Backup, and the accounts of a page of AWS Organizations.
const POINTS: usize = 1_000;
const ACCOUNTS: usize = 20;

/// The time that each call takes where time is measured, which is a usual one.
const LATENCY: Duration = Duration::from_millis(50);

/// The accounts of the large organization, and the number of days for which copies are kept.
const MANY: usize = 10_000;
const DAYS: usize = 35;

/// The memory of the function by default in gigabytes, and the number of batches that run side by
/// side.
const GIGABYTES: f64 = 1.0;
const SIDE_BY_SIDE: usize = 20;

/// The transitions of a run, and those of a batch.
const TRANSITIONS: (usize, usize) = (3, 3);

/// The size of an organization that is swept.
#[derive(Clone, Copy, Debug)]
struct Size {
    /// The accounts that are looked into. Each has one resource in each Region.
    accounts: usize,
    regions: usize,
    /// The number of copies of each resource.
    nights: usize,
}

impl Size {
    fn batches(self) -> usize {
        self.accounts.div_ceil(BATCH)
    }

    fn copies(self) -> usize {
        self.accounts * self.regions * self.nights
    }

    fn words(self) -> String {
        format!("{} × {}", grouped(self.accounts), self.regions)
    }
}

/// The number of calls of each operation in each step.
type Calls = BTreeMap<(usize, &'static str), usize>;

/// A sweep that was counted.
struct Swept {
    size: Size,
    calls: Calls,
    /// The time that each step took.
    took: [Duration; 3],
}

/// Sweeps an organization that has this number of accounts, one of which is suspended, on the day
/// after so many nights and a first sweep.
async fn sweep(accounts: usize, regions: usize, nights: usize, latency: Duration) -> Swept {
    let settings = Settings { accounts, latency, journal: Some(0), ..Settings::default() };
    let organization = organization(settings, &REGIONS[..regions]).await;
    for _ in 0..nights {
        organization.let_go_by(Duration::from_hours(24));
    }
    let active = organization
        .organization(|it| it.accounts().filter(|it| it.state == AccountState::Active).count());
    let sweeps = Sweeps::start(&organization).await;
    // The first sweep also writes when it first saw each resource. It is the later ones that count.
    sweeps.sweep().await;
    organization.let_go_by(Duration::from_hours(24));
    let size = Size { accounts: active, regions, nights: nights + 1 };
    let points = organization.recovery_points();
    assert_eq!(points.len(), 2 * size.copies(), "every backup is copied");
    let mut swept = Swept { size, calls: Calls::new(), took: [Duration::ZERO; 3] };
    organization.clear_journal();
    let mut since = Instant::now();
    let mut note = |step: usize| {
        for (name, tally) in organization.tallies() {
            *swept.calls.entry((step, name)).or_default() += usize::try_from(tally.calls).unwrap();
        }
        swept.took[step] += since.elapsed();
        organization.clear_journal();
        since = Instant::now();
    };
    let _ = sweeps.begin().await;
    note(0);
    let input = sweeps.input().unwrap();
    for event in sweeps.batches(&input) {
        organization.clear_journal();
        sweeps.batch(&event).await;
        note(1);
    }
    organization.clear_journal();
    sweeps.finish(&input).await;
    note(2);
    let summary = sweeps.summary();
    assert_eq!(summary.unread, Vec::<String>::new());
    let fresh = summary.states().get("fresh").copied().unwrap_or_default();
    assert_eq!(fresh, active * regions, "every resource is fresh");
    let copies = summary.counts().map(|it| it.copies_late + it.copies_unknown).sum::<usize>();
    assert_eq!(copies, 0, "every copy is found");
    swept
}

/// Makes an organization in which every account has a resource in each of these Regions, which is
/// backed up every night and copied to one vault.
async fn organization(settings: Settings, regions: &[&str]) -> Organization {
    let organization = Organization::ready(settings).await;
    organization.buckets(|it| it.create_bucket(STATE_BUCKET));
    organization.topics(|it| {
        it.create(TOPIC);
        it.create(CHAT_TOPIC);
    });
    organization.hub(Hub::enable);
    let management = organization.organization(|it| it.management_account.clone());
    let statement = json!({ "Effect": "Allow", "Action": "*", "Resource": "*" });
    let anything = json!({ "Version": "2012-10-17", "Statement": [statement] });
    let statement = json!({
        "Effect": "Allow", "Principal": { "Service": "backup.amazonaws.com" },
        "Action": "sts:AssumeRole",
    });
    let trust = json!({ "Version": "2012-10-17", "Statement": [statement] });
    organization.iam(|it| {
        let member = Role::trusting_account("org-backup-member", &management);
        it.create_role_everywhere(member.allowing(&anything));
        it.create_role_everywhere(Role::new("org-backup", &trust));
    });
    organization.kms(|it| it.create_everywhere("mine", KeyManager::Customer));
    let vault = || Vault::new("org-backup").key("arn:aws:kms:$region:$account:key/mine");
    let vault = || vault().key_type(KeyType::CustomerManaged);
    organization.backup(|it| it.vaults_mut().create_everywhere(vault()));
    let accounts: Vec<_> = organization.organization(|it| {
        it.accounts()
            .filter(|it| it.state == AccountState::Active)
            .map(|it| it.id.clone())
            .collect()
    });
    let central = organization.id("security-000");
    let id = organization.organization(|it| it.id.clone());
    let home = regions.first().unwrap();
    organization.backup(|it| {
        let key = "arn:aws:kms:$region:$account:key/mine";
        let vault = Vault::new("central").key(key).key_type(KeyType::CustomerManaged);
        let admission = json!({ "Statement": [{
            "Effect": "Allow", "Principal": "*", "Action": "backup:CopyIntoBackupVault",
            "Resource": "*", "Condition": { "StringEquals": { "aws:PrincipalOrgID": id } },
        }] });
        it.vaults_mut().create(&central, home, vault.access_policy(&admission));
        for (account, region) in
            accounts.iter().flat_map(|it| regions.iter().map(move |on| (it, on)))
        {
            let on = it.region_settings(account, region).opt_in;
            let on = on.into_keys().map(|it| (it, true)).collect();
            it.update_region_settings(account, region, &on, &BTreeMap::new()).unwrap();
        }
        let settings = [("isCrossAccountBackupEnabled".to_owned(), "true".to_owned())].into();
        it.update_global_settings(&settings).unwrap();
    });
    let copies = format!("arn:aws:backup:{home}:{central}:backup-vault:central");
    let document = json!({ "plans": { "daily": {
        "regions": { "@@assign": regions },
        "rules": { "night": {
            "schedule_expression": { "@@assign": "cron(0 5 ? * * *)" },
            "start_backup_window_minutes": { "@@assign": "60" },
            "target_backup_vault_name": { "@@assign": "org-backup" },
            "lifecycle": { "delete_after_days": { "@@assign": "35" } },
            "copy_actions": { copies.as_str(): {
                "target_backup_vault_arn": { "@@assign": copies },
                "lifecycle": { "delete_after_days": { "@@assign": "35" } },
            } },
        } },
        "selections": { "tags": { "tagged": {
            "iam_role_arn": { "@@assign": "arn:aws:iam::$account:role/org-backup" },
            "tag_key": { "@@assign": "backup" },
            "tag_value": { "@@assign": ["daily"] },
        } } },
    } } });
    organization.organization(|it| {
        let root = it.root.clone();
        let id = it.create_policy(BACKUP_POLICY, "daily", "", &document.to_string(), &[]).unwrap();
        it.attach_policy(&id, &root).unwrap();
        it.publish();
    });
    for account in &accounts {
        for region in regions {
            let arn = format!("arn:aws:ec2:{region}:{account}:volume/vol-1");
            let tag = Some(("backup", "daily"));
            organization.put_resource(backed_up(&arn, "EBS", account, region, tag));
        }
    }
    organization
}

/// The number of calls of an operation as a sum: of a constant, of a number for each batch, and of
/// one for each account. Each of these is a constant and a number for each Region.
#[derive(Clone, Copy, Debug, Default)]
struct Linear([[f64; 2]; 3]);

impl Linear {
    /// Returns the only sum that has these values, which are of three sizes, each with two numbers
    /// of Regions.
    fn through(sizes: [[Size; 2]; 3], values: [[usize; 2]; 3]) -> Self {
        let mut of_regions = [[0.0; 2]; 3];
        for at in 0..2 {
            let [few, more, most] = sizes.map(|it| it[at]);
            let [f, g, h] = values.map(|it| it[at] as f64);
            let by_account = (g - f) / (more.accounts as f64 - few.accounts as f64);
            let rest = h - f - by_account * (most.accounts as f64 - few.accounts as f64);
            let by_batch = rest / (most.batches() as f64 - few.batches() as f64);
            let fixed = f - by_account * few.accounts as f64 - by_batch * few.batches() as f64;
            for (it, value) in of_regions.iter_mut().zip([fixed, by_batch, by_account]) {
                it[at] = value;
            }
        }
        let [one, two] = sizes[0].map(|it| it.regions as f64);
        Self(of_regions.map(|[first, second]| {
            let slope = (second - first) / (two - one);
            [first - slope * one, slope]
        }))
    }

    fn at(&self, size: Size) -> usize {
        let counts = [1.0, size.batches() as f64, size.accounts as f64];
        let terms = self.0.iter().zip(counts);
        let sum: f64 = terms.map(|([a, b], it)| it * (a + b * size.regions as f64)).sum();
        // The sizes of the model are whole pages of accounts, and others may begin another page.
        (sum - 1e-6).ceil() as usize
    }
}

/// The calls of a sweep of any size.
struct Model(BTreeMap<(usize, &'static str), Linear>);

impl Model {
    fn of(swept: &[[Swept; 2]; 3]) -> Self {
        let keys: BTreeSet<_> =
            swept.iter().flatten().flat_map(|it| it.calls.keys().copied()).collect();
        let sizes = swept.each_ref().map(|it| it.each_ref().map(|it| it.size));
        let values = |key| {
            let calls = |it: &Swept| it.calls.get(key).copied().unwrap_or_default();
            swept.each_ref().map(|it| it.each_ref().map(calls))
        };
        Self(keys.iter().map(|key| (*key, Linear::through(sizes, values(key)))).collect())
    }

    /// Returns the calls of a sweep. The sizes of the model have one page of copies; the further
    /// ones come on top, with at most as many parts as `parts`.
    fn at(&self, size: Size, parts: usize) -> Calls {
        let mut calls: Calls = self.0.iter().map(|(key, it)| (*key, it.at(size))).collect();
        let mut more = |step, name, count| *calls.entry((step, name)).or_default() += count;
        // The start of a run reads the vault for all accounts, also for the one that has it.
        more(0, "ListRecoveryPointsByBackupVault", size.copies().div_ceil(POINTS) - 1);
        more(0, "PutObject", parts);
        more(1, "GetObject", parts);
        calls.retain(|_, it| *it > 0);
        calls
    }
}

/// Returns the largest number of parts of copies beside one for each batch.
fn parts(size: Size) -> usize {
    // A part that is written is the largest, so it is at least an even share.
    size.copies() / (WAITING / (size.batches() + 1))
}

fn operation(name: &str) -> &'static Operation {
    OPERATIONS.iter().find(|it| it.name == name).unwrap()
}

/// Returns the least time that a step takes whose calls are made one after the other, at the
/// published rates.
fn paced(calls: &Calls, step: usize) -> Duration {
    let of_step = calls.iter().filter(|it| it.0.0 == step);
    let each = of_step.map(|((_, name), count)| {
        let usual = 1.0 / LATENCY.as_secs_f64();
        let rate = operation(name).per_second().map_or(usual, |it| it.min(usual));
        *count as f64 / rate
    });
    Duration::from_secs_f64(each.sum())
}

/// The prices in docs/costs.md.
struct Prices(String);

impl Prices {
    /// Returns the number of dollars that stands before these words.
    fn of(&self, words: &str) -> f64 {
        let (before, _) = self.0.split_once(&format!(" USD for {words}")).unwrap();
        before.rsplit(|it: char| !it.is_ascii_digit() && it != '.').next().unwrap().parse().unwrap()
    }
}

/// Formats a number in groups of three digits.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

fn total(calls: &Calls, is_one: impl Fn(usize, &'static Operation) -> bool) -> usize {
    let chosen = calls.iter().filter(|((step, name), _)| is_one(*step, operation(name)));
    chosen.map(|it| it.1).sum()
}

/// Writes the table of calls: a column for each step.
fn table(calls: &Calls) -> String {
    let mut text = format!("| call | {} |\n|---|---:|---:|---:|\n", STEPS.join(" | "));
    let names: BTreeSet<_> = calls.keys().map(|it| it.1).collect();
    let cell = |step, name| calls.get(&(step, name)).map_or(String::new(), |it| grouped(*it));
    for name in names {
        let row = [0, 1, 2].map(|step| cell(step, name));
        writeln!(text, "| `{name}` | {} |", row.join(" | ")).unwrap();
    }
    let sums = [0, 1, 2].map(|step| grouped(total(calls, |at, _| at == step)));
    writeln!(text, "| all | {} |", sums.join(" | ")).unwrap();
    text
}

fn page(large: Size, calls: &Calls, timed: &Swept, checked: Size, prices: &Prices) -> String {
    let batches = large.batches();
    let begin = paced(calls, 0).as_secs_f64();
    let [_, batch, finish] = timed.took.map(|it| it.as_secs_f64());
    let whole = begin + batch * batches.div_ceil(SIDE_BY_SIDE) as f64 + finish;
    let seconds = GIGABYTES * (begin + batch * batches as f64 + finish);
    let is_s3 = |it: &Operation| it.service == Service::S3;
    let reads = total(calls, |_, it| is_s3(it) && it.name.starts_with("Get"));
    let writes = total(calls, |_, it| is_s3(it) && !it.name.starts_with("Get"));
    let invocations = batches + 2;
    let transitions = TRANSITIONS.0 + TRANSITIONS.1 * batches;
    let lines = [
        ("GB-seconds", seconds.ceil() as usize, seconds * prices.of("a GB-second")),
        ("invocations", invocations, million(invocations, prices.of("a million requests"))),
        (
            "writes and lists of S3",
            writes,
            million(writes, prices.of("a million writes and lists")),
        ),
        ("reads of S3", reads, million(reads, prices.of("a million reads"))),
        (
            "state transitions",
            transitions,
            million(transitions, prices.of("a million transitions")),
        ),
    ];
    let cost: f64 = lines.iter().map(|it| it.2).sum();
    let mut costs = String::new();
    for (what, count, cost) in lines {
        writeln!(costs, "| {what} | {} | {cost:.4} |", grouped(count)).unwrap();
    }
    writeln!(costs, "| a sweep | | {cost:.4} |\n| 30 sweeps | | {:.2} |", 30.0 * cost).unwrap();
    format!(
        "# A sweep over every account\n\n\
         `make bench-coverage` writes this page. It lets the function `coverage` sweep small \
         simulated organizations, makes a model of its calls that is linear in accounts, batches \
         and Regions, and fails unless the model predicts the calls of {} and {} accounts × \
         Regions exactly.\n\
         Every account has one resource in each Region, with a backup of each night in one vault \
         there, and a copy in one vault of another account. The memory and time of the judgement \
         itself are in [coverage.md](../coverage.md).\n\n\
         ## Calls of a sweep over {} accounts × Regions\n\n\
         {} copies are kept, those of {DAYS} days.\n\n{}\n\
         The vault that receives copies is read once, at the beginning, also for the account that \
         has it. The copies in it are kept for the batches. {} of the reads and writes of S3 are at most for that.\n\n\
         ## Time\n\n\
         A call takes {} ms. *Begin* makes its calls one after the other, those of AWS \
         Organizations at the rates that AWS publishes. A batch of 100 accounts was measured, with \
         a debug build, and {SIDE_BY_SIDE} run side by side.\n\n\
         | step | seconds |\n|---|---:|\n\
         | begin | {begin:.0} |\n| one of {batches} batches | {batch:.0} |\n| finish | {finish:.0} |\n\
         | the sweep | {whole:.0} |\n\n\
         An invocation ends after 900 s. So the copies of one sweep are read only if a page of \
         1,000 takes less than {:.0} ms; others are *not known*, and the page says so.\n\n\
         ## Cost\n\n\
         Calls of AWS Backup, AWS Organizations and the others are free. The function has \
         {GIGABYTES} GB. [costs.md](../costs.md) has the prices, with their Region and date. What \
         is stored and logged comes on top.\n\n\
         | item | number | USD |\n|---|---:|---:|\n{costs}",
        timed.size.words(),
        checked.words(),
        large.words(),
        grouped(large.copies()),
        table(calls),
        grouped(2 * parts(large)),
        LATENCY.as_millis(),
        (840.0 - begin_without_copies(calls)) * 1e3 / large.copies().div_ceil(POINTS) as f64,
    )
}

/// Returns the seconds of the first step without its pages of copies.
fn begin_without_copies(calls: &Calls) -> f64 {
    let mut calls = calls.clone();
    calls.remove(&(0, "ListRecoveryPointsByBackupVault"));
    paced(&calls, 0).as_secs_f64()
}

fn million(count: usize, price: f64) -> f64 {
    count as f64 * price / 1e6
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let arguments = SweepArguments::parse();
    let prices = Prices(fs::read_to_string(&arguments.prices)?);
    let size = async |pages: usize| {
        let accounts = pages * ACCOUNTS;
        [sweep(accounts, 1, 1, Duration::ZERO).await, sweep(accounts, 2, 1, Duration::ZERO).await]
    };
    let model = Model::of(&[size(1).await, size(2).await, size(6).await]);
    let checked = sweep(11 * ACCOUNTS, 3, 2, Duration::ZERO).await;
    // Batches are made of all accounts, of which the suspended one does not count here.
    let timed = sweep(BATCH + 2, REGIONS.len(), 1, LATENCY).await;
    for it in [&checked, &timed] {
        assert_eq!(model.at(it.size, 0), it.calls, "the model predicts {:?}", it.size);
    }
    let large = Size { accounts: MANY, regions: REGIONS.len(), nights: DAYS };
    let calls = model.at(large, parts(large));
    let page = page(large, &calls, &timed, checked.size, &prices);
    print!("{page}");
    fs::write(arguments.page, page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_predicts_what_is_linear_in_accounts_batches_and_regions() {
        let size = |accounts, regions| Size { accounts, regions, nights: 1 };
        let calls = |it: Size| {
            5 + 2 * it.regions
                + it.batches() * (3 + it.regions)
                + it.accounts * (1 + 7 * it.regions)
        };
        let sizes = [19, 39, 119].map(|it| [size(it, 1), size(it, 2)]);
        let model = Linear::through(sizes, sizes.map(|it| it.map(calls)));
        for it in [size(219, 3), size(MANY, REGIONS.len())] {
            assert_eq!(model.at(it), calls(it));
        }
    }

    #[test]
    fn the_prices_are_those_of_the_page_of_costs() {
        let prices =
            Prices("0.20 USD for a million requests and 0.0000166667 USD for a GB-second".into());
        assert!((prices.of("a GB-second") - 0.000_016_666_7).abs() < 1e-12);
        assert!((prices.of("a million requests") - 0.2).abs() < 1e-12);
    }
}
