//! A run that is too long for one invocation: what is where in the state bucket, and what is done
//! with accounts that are not ready to be worked in yet.
//!
//! Everything of a run is below `runs/<run ID>/`. The accounts are divided into batches, a batch is
//! worked on in rounds, and each round writes what came of it under a name of its own. So a round
//! that is repeated overwrites what it wrote itself and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Properties;
use super::report::Account;
use crate::id::{AccountId, Region, ResourceType, RunId};

/// How many accounts are in a batch: about 2,000 calls with all Regions of today.
pub const BATCH: usize = 100;

/// How often an account is tried again whose role is not there yet.
const WAITS: u32 = 4;

/// How often a batch is worked on at most, should there never be time for all of it.
const ROUNDS: u32 = 50;

/// How long the first of these waits is, in seconds; each is twice as long as the one before.
const FIRST_WAIT: u32 = 30;

impl RunId {
    /// The run of a request, which is the same for every delivery of it.
    pub fn of_request(stack_id: &str, request_id: &str) -> Self {
        let digest = Sha256::digest(format!("{stack_id}\n{request_id}"));
        let mut text = String::new();
        for byte in digest.iter().take(16) {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        text.parse().unwrap_or_else(|_| unreachable!("32 letters and digits make a run ID"))
    }

    /// What the run is to do.
    pub fn order_key(&self) -> String {
        format!("runs/{self}/run.json")
    }

    /// The list of batches, each of which is the event of an invocation.
    pub fn batches_key(&self) -> String {
        format!("runs/{self}/batches.json")
    }

    /// The report, one JSON object a line.
    pub fn report_key(&self) -> String {
        format!("runs/{self}/report.jsonl")
    }

    /// What came of all rounds.
    pub fn results_prefix(&self) -> String {
        format!("runs/{self}/results/")
    }

    /// Where CloudFormation waits for the answer.
    pub fn answer_key(&self) -> String {
        format!("answers/{self}.json")
    }
}

/// What a run is to do.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Order {
    /// The properties of the resource.
    pub properties: Properties,
    /// The management account.
    pub management: AccountId,
    /// The partition of the organization, as in `aws-cn`.
    pub partition: String,
    /// How many accounts there are.
    pub accounts: usize,
    /// Accounts that are not active, by state.
    #[serde(default)]
    pub skipped: BTreeMap<String, usize>,
    /// The resource types of each Region, as far as they were asked for.
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
    /// How often the batch has been worked on.
    #[serde(default)]
    pub round: u32,
    /// How often it has been waited for roles.
    #[serde(default)]
    pub waits: u32,
    /// The accounts that are left.
    pub accounts: Vec<Account>,
}

impl Batch {
    /// Where the result of this round is kept.
    pub fn result_key(&self) -> String {
        format!("{}{:05}.{:03}.jsonl", self.run.results_prefix(), self.index, self.round)
    }

    /// Whether accounts that nobody can get into are tried again later.
    pub fn is_patient(&self) -> bool {
        self.waits < WAITS
    }

    /// What the state machine is told: whether to come again, when, and with what.
    ///
    /// `unreached` are accounts for which there was no time, and `barred` those that nobody could
    /// get into.
    pub fn next(self, unreached: Vec<Account>, barred: Vec<Account>) -> Value {
        let seconds = match (unreached.is_empty(), barred.is_empty()) {
            _ if self.round >= ROUNDS => return json!({ "Again": false }),
            (true, true) => return json!({ "Again": false }),
            // Time passes anyway.
            (false, _) => 0,
            (true, false) => FIRST_WAIT << self.waits.min(WAITS),
        };
        let waits = self.waits + u32::from(seconds > 0);
        let accounts = [unreached, barred].concat();
        let next = Self { round: self.round + 1, waits, accounts, ..self };
        json!({ "Again": true, "Seconds": seconds, "Batch": next })
    }
}

/// Divides accounts into batches, in the shape in which the state machine reads them.
pub fn batches(run: &RunId, accounts: &[Account]) -> Value {
    let batches = accounts.chunks(BATCH).enumerate().map(|(index, accounts)| {
        let (run, accounts) = (run.clone(), accounts.to_vec());
        json!({ "Batch": Batch { run, index, round: 0, waits: 0, accounts } })
    });
    batches.collect()
}
