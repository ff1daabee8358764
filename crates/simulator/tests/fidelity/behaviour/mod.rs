//! What a simulator does, seen through HTTP and from its handle.

mod backups;
mod calls;
mod effective;
mod events;
mod function;
mod interference;
mod members;
mod program;
mod recovery;
mod stack_sets;
mod state;

use simulator::{Account, AccountState, BACKUP_POLICY, Organization, Settings, Simulator};

use crate::support::{Client, PATIENCE};

const CONTENT: &str = r#"{"plans":{}}"#;

/// Waits for what should come at once, and gives up after a long while instead of hanging.
async fn patiently<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("it does not come")
}

async fn start(settings: Settings) -> (Simulator, Client) {
    let simulator = Simulator::start(settings).await.unwrap();
    let client = Client::new(&simulator.url());
    (simulator, client)
}

/// A member account in use.
fn active(simulator: &Simulator) -> String {
    simulator.organization(|it| {
        let active = |it: &&Account| it.created && it.state == AccountState::Active;
        it.accounts().find(active).unwrap().id.clone()
    })
}

/// Enables backup policies and makes one; returns the root and the policy.
fn with_policy(organization: &mut Organization) -> (String, String) {
    let root = organization.root.clone();
    organization.enable_policy_type(&root, BACKUP_POLICY).unwrap();
    let policy = organization.create_policy(BACKUP_POLICY, "daily", "", CONTENT, &[]).unwrap();
    (root, policy)
}
