//! The Lambda function behind `Custom::BackupGlobalSettings`.

use global_settings::GlobalSettings;
use lambda_runtime::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let session = aws::Session::from_environment(aws::Reader::Author);
    let handle = async |request| resources::handle::<GlobalSettings>(&session, request).await;
    cfn::run(session.http(), handle).await
}
