//! AWS KMS: the manager and the state of a key.

use serde_json::json;

use super::json::{Members, reply};
use crate::kms::KeyManager;
use crate::refusal::{Code, Refusal};
use crate::reply::{Reply, timestamp};
use crate::request::Call;
use crate::world::World;

pub(super) fn perform(world: &World, call: &Call) -> Result<Reply, Refusal> {
    let members = Members::parse(call)?;
    let name = members.text("KeyId")?;
    let (account, region) = (&call.caller.account, &call.caller.region);
    let key = world.kms.get(account, region, name)?;
    if key.account != *account {
        // Key policies are not evaluated: only the owner has access.
        let message = "The ciphertext refers to a customer master key that does not exist, does \
                       not exist in this region, or you are not allowed to access.";
        return Err(Refusal::new(Code::AccessDenied, message));
    }
    let partition = world.organization.partition();
    let arn = format!("arn:{partition}:kms:{}:{}:key/{}", key.region, key.account, key.id);
    let description = match key.manager {
        KeyManager::Aws => "Default key that protects my backups when no other key is defined",
        KeyManager::Customer => "",
    };
    let metadata = json!({
        "AWSAccountId": key.account,
        "KeyId": key.id,
        "Arn": arn,
        "CreationDate": timestamp(std::time::Duration::ZERO),
        "Enabled": key.state == "Enabled",
        "Description": description,
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeyState": key.state,
        "Origin": "AWS_KMS",
        "KeyManager": key.manager.as_str(),
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "MultiRegion": false,
    });
    Ok(reply(call.service, &json!({ "KeyMetadata": metadata })))
}
