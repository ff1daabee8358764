//! A run that takes longer than one invocation: its keys in the state bucket, and the retries for
//! accounts that are not ready yet.
//!
//! Everything about a run is below `runs/<run ID>/`. The accounts are divided into batches, a batch
//! is processed in rounds, and each round writes its results under a separate key. A repeated round
//! therefore only overwrites its own results.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Properties;
use super::report::Account;
use crate::id::{AccountId, Region, ResourceType, RunId};

/// The number of accounts in a batch: about 2,000 calls with all current Regions.
pub const BATCH: usize = 100;

/// The number of retries for an account whose role does not exist yet.
const WAITS: u32 = 4;

/// The most rounds of a batch, in case there is never enough time for all of it.
const ROUNDS: u32 = 50;

/// The length of the first of these waits in seconds. Each wait is twice as long as the one before.
const FIRST_WAIT: u32 = 30;

impl RunId {
    /// Returns the ID of the run for a request. It is the same for every delivery of the request.
    pub fn of_request(stack_id: &str, request_id: &str) -> Self {
        let digest = Sha256::digest(format!("{stack_id}\n{request_id}"));
        let mut text = String::new();
        for byte in digest.iter().take(16) {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        text.parse().unwrap_or_else(|_| unreachable!("32 letters and digits make a run ID"))
    }

    /// Returns the key of the order.
    pub fn order_key(&self) -> String {
        format!("runs/{self}/run.json")
    }

    /// Returns the key of the list of batches, each of which is the event of an invocation.
    pub fn batches_key(&self) -> String {
        format!("runs/{self}/batches.json")
    }

    /// Returns the key of the report, which has one JSON object per line.
    pub fn report_key(&self) -> String {
        format!("runs/{self}/report.jsonl")
    }

    /// Returns the prefix of the results of all rounds.
    pub fn results_prefix(&self) -> String {
        format!("runs/{self}/results/")
    }

    /// Returns the key of the ticket with which the run answers CloudFormation.
    pub fn answer_key(&self) -> String {
        format!("answers/{self}.json")
    }
}

/// The order of a run.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Order {
    /// The properties of the resource.
    pub properties: Properties,
    /// The management account.
    pub management: AccountId,
    /// The partition of the organization, as in `aws-cn`.
    pub partition: String,
    /// The number of accounts.
    pub accounts: usize,
    /// Accounts that are not active, by state.
    #[serde(default)]
    pub skipped: BTreeMap<String, usize>,
    /// The resource types of each Region, as far as they were read.
    #[serde(default)]
    pub supported: BTreeMap<Region, BTreeSet<ResourceType>>,
}

/// Some accounts of a run.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Batch {
    /// The run.
    pub run: RunId,
    /// The place of the batch among those of the run.
    pub index: usize,
    /// The number of rounds so far.
    #[serde(default)]
    pub round: u32,
    /// The number of waits for roles so far.
    #[serde(default)]
    pub waits: u32,
    /// The accounts that are left.
    pub accounts: Vec<Account>,
}

impl Batch {
    /// Returns the key of the result of this round.
    pub fn result_key(&self) -> String {
        format!("{}{:05}.{:03}.jsonl", self.run.results_prefix(), self.index, self.round)
    }

    /// Returns `true` if accounts that cannot be entered are tried again later.
    pub fn is_patient(&self) -> bool {
        self.waits < WAITS
    }

    /// Returns the instruction for the state machine: whether to continue, after which wait, and
    /// with which batch.
    ///
    /// `unreached` are accounts that were not visited because time ran out, and `barred` are those
    /// that could not be entered.
    pub fn next(self, unreached: Vec<Account>, barred: Vec<Account>) -> Value {
        let seconds = match (unreached.is_empty(), barred.is_empty()) {
            _ if self.round >= ROUNDS => return json!({ "Again": false }),
            (true, true) => return json!({ "Again": false }),
            // The next round already takes time, so no wait is needed.
            (false, _) => 0,
            (true, false) => FIRST_WAIT << self.waits.min(WAITS),
        };
        let waits = self.waits + u32::from(seconds > 0);
        let accounts = [unreached, barred].concat();
        let next = Self { round: self.round + 1, waits, accounts, ..self };
        json!({ "Again": true, "Seconds": seconds, "Batch": next })
    }
}

/// A batch, in the format that the state machine reads.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    batch: Batch,
}

/// Divides accounts into batches, in the format that the state machine reads.
pub fn batches(run: &RunId, accounts: &[Account]) -> Value {
    let batches = accounts.chunks(BATCH).enumerate().map(|(index, accounts)| {
        let (run, accounts) = (run.clone(), accounts.to_vec());
        json!(Item { batch: Batch { run, index, round: 0, waits: 0, accounts } })
    });
    batches.collect()
}

/// Reads the text of what [`batches`] returned.
///
/// # Errors
///
/// Returns an error if the text is not such a list.
pub fn read_batches(text: &str) -> Result<Vec<Batch>, serde_json::Error> {
    let items: Vec<Item> = serde_json::from_str(text)?;
    Ok(items.into_iter().map(|it| it.batch).collect())
}
