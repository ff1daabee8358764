//! The settings of AWS Backup for the whole organization.

use aws::operation::{DESCRIBE_SETTINGS, UPDATE_SETTINGS};
use aws::{Error, Kind, Management, log_plan};
use organization::{Record, organizations};
use plan::global_settings::{
    Desired, Observed, Setting, Step, Values, of_tag_value, tag, tag_value,
};
use plan::owner::Owner;
use tracing::info;

fn client(management: &Management) -> aws_sdk_backup::Client {
    management.client(|config| aws::client!(aws_sdk_backup, config))
}

/// Reads the observed state to compare with `desired`, and the place of its record, if it keeps
/// one.
///
/// # Errors
///
/// Returns an error if a read fails. Nothing has changed.
pub async fn observe(
    management: &Management,
    desired: &Desired,
    owner: &Owner,
) -> Result<(Option<Record>, Observed), Error> {
    let values = settings(management).await?;
    let keeps_record =
        matches!(desired, Desired::Present { restore: true, .. } | Desired::Restored(_));
    if !keeps_record {
        return Ok((None, Observed { values, found: None, is_recorded: false }));
    }
    let (record, tags) = organizations::record(management, owner).await?;
    let found = tags.get(tag(owner).as_str()).map(|it| of_tag_value(it));
    let is_recorded = found.is_some();
    Ok((Some(record), Observed { values, found, is_recorded }))
}

/// Reads the current value of every setting.
///
/// # Errors
///
/// Returns an error if the read fails.
pub async fn settings(management: &Management) -> Result<Values, Error> {
    let describe = client(management).describe_global_settings().send();
    let action = "read the global settings of AWS Backup";
    let described = management.calls.call(DESCRIBE_SETTINGS, action, describe).await;
    let described = match described {
        Err(refused) => return Err(explained(management, refused).await),
        Ok(described) => described.global_settings.unwrap_or_default(),
    };
    // A missing key means that the setting has never been turned on.
    let on = |it: Setting| described.get(it.key()).is_some_and(|on| on == "true");
    Ok(Setting::ALL.into_iter().map(|it| (it, on(it))).collect())
}

/// Carries out `steps` in order.
///
/// # Errors
///
/// Returns an error at the first step that fails. The steps before it stay done, and planning again
/// resumes.
pub async fn apply(
    management: &Management,
    record: Option<&Record>,
    steps: &[Step],
) -> Result<(), Error> {
    log_plan(steps);
    for step in steps {
        match (step, record) {
            (Step::Update(values), _) => {
                let values = values.iter().map(|(it, on)| (it.key().to_owned(), on.to_string()));
                let update = client(management).update_global_settings();
                let update = update.set_global_settings(Some(values.collect())).send();
                let updated = management.calls.call(UPDATE_SETTINGS, step, update).await;
                if let Err(refused) = updated {
                    return Err(explained(management, refused).await);
                }
            }
            (Step::Record(values), Some(Record { root_id, owner })) => {
                let (key, value) = (tag(owner), tag_value(values));
                organizations::tag(
                    management,
                    root_id.as_str(),
                    [(&key, &value)],
                    &step.to_string(),
                )
                .await?;
            }
            (Step::Forget, Some(Record { root_id, owner })) => {
                organizations::untag(
                    management,
                    root_id.as_str(),
                    [&tag(owner)],
                    &step.to_string(),
                )
                .await?;
            }
            (Step::Record(_) | Step::Forget, None) => {
                return Err(Error::incomplete(&step.to_string(), "the root"));
            }
        }
        info!(%step, "done");
    }
    Ok(())
}

/// Names the management account in an error. In a wrong account, AWS Backup only says that the
/// request is invalid.
async fn explained(management: &Management, refused: Error) -> Error {
    let invalid = refused.code() == Some("InvalidRequestException");
    if invalid || refused.kind() == Kind::Denied {
        organizations::explain(management, refused).await
    } else {
        refused
    }
}
