//! An organization that is backed up every night at five.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use simulator::{BACKUP_POLICY, BackedUp, KeyManager, Role, Simulator, Vault};

/// The vault that backups go to, in every account and Region.
pub(crate) const VAULT: &str = "daily";
/// The key of every vault.
pub(crate) const KEY: &str = "1d2c3b4a-5e6f-4a7b-8c9d-0e1f2a3b4c5d";
/// The role that makes the backups, in every account.
pub(crate) const ROLE: &str = "backup";
const MANAGEMENT: &str = "111122223333";

/// Has every account back up what has the tag `tier` with the value `gold` in these Regions, and copy
/// it to the last of the accounts, in the first Region. Returns the vault there.
pub(crate) fn protect(simulator: &Simulator, regions: &[&str]) -> String {
    let (central, organization) = simulator.organization(|it| {
        let active = it.accounts().filter(|it| it.state == simulator::AccountState::Active);
        (active.last().unwrap().id.clone(), it.id.clone())
    });
    let copies = format!("arn:aws:backup:{}:{central}:backup-vault:copies", regions[0]);
    let key = format!("arn:aws:kms:$region:$account:key/{KEY}");
    let admits = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": "*", "Action": "backup:CopyIntoBackupVault",
        "Resource": "*", "Condition": { "StringEquals": { "aws:PrincipalOrgID": organization } },
    }] });
    simulator.kms(|it| it.create_everywhere(KEY, KeyManager::Customer));
    simulator.backup(|it| {
        it.vaults_mut().create_everywhere(Vault::new(VAULT).key(&key));
        let central_vault = Vault::new("copies").key(&key).access_policy(&admits);
        it.vaults_mut().create(&central, regions[0], central_vault);
        let on = [("isCrossAccountBackupEnabled".to_owned(), "true".to_owned())].into();
        it.update_global_settings(&on).unwrap();
        for region in regions {
            let types = it.supported_resource_types(region);
            let types = types.into_iter().map(|it| (it.to_owned(), true)).collect();
            it.update_region_settings(MANAGEMENT, region, &types, &BTreeMap::new()).unwrap();
        }
    });
    let trust = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": { "Service": "backup.amazonaws.com" },
        "Action": "sts:AssumeRole",
        "Condition": { "StringEquals": { "aws:SourceAccount": "$account" } },
    }] });
    simulator.iam(|it| it.create_role_everywhere(Role::new(ROLE, &trust)));
    simulator.organization(|it| {
        let root = it.root.clone();
        let _on_already = it.enable_policy_type(&root, BACKUP_POLICY);
        let content = policy(regions, &copies).to_string();
        let id = it.create_policy(BACKUP_POLICY, "nightly", "", &content, &[]).unwrap();
        it.attach_policy(&id, &root).unwrap();
    });
    copies
}

fn policy(regions: &[&str], copies: &str) -> Value {
    let assign = |it: &str| json!({ "@@assign": it });
    json!({ "plans": { "nightly": {
        "regions": { "@@assign": regions },
        "rules": { "night": {
            "schedule_expression": assign("cron(0 5 ? * * *)"),
            "target_backup_vault_name": assign(VAULT),
            "lifecycle": { "delete_after_days": assign("30") },
            "copy_actions": { (copies): {
                "target_backup_vault_arn": assign(copies),
                "lifecycle": { "delete_after_days": assign("60") },
            } },
        } },
        "selections": { "tags": { "gold": {
            "iam_role_arn": assign(&format!("arn:aws:iam::$account:role/{ROLE}")),
            "tag_key": assign("tier"),
            "tag_value": { "@@assign": ["gold"] },
        } } },
    } } })
}

/// The ARN of a volume.
pub(crate) fn volume(account: &str, region: &str) -> String {
    format!("arn:aws:ec2:{region}:{account}:volume/vol-0a1b2c3d")
}

/// A volume with this value of the tag `tier`, or without a tag if it is empty.
pub(crate) fn resource(arn: &str, account: &str, region: &str, tier: &str) -> BackedUp {
    let tag = (!tier.is_empty()).then(|| ("tier".to_owned(), tier.to_owned()));
    BackedUp {
        arn: arn.to_owned(),
        kind: "EBS".to_owned(),
        account: account.to_owned(),
        region: region.to_owned(),
        tags: tag.into_iter().collect(),
        gigabytes: 1,
    }
}

/// Lets so many nights pass.
pub(crate) fn pass(simulator: &Simulator, nights: u64) {
    simulator.let_go_by(Duration::from_hours(24 * nights));
}
