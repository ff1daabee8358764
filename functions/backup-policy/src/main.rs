//! The Lambda function behind `Custom::BackupPolicy`.

use lambda_runtime::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let session = aws::Session::from_environment(aws::Reader::Author);
    cfn::run(session.http(), async |request| backup_policy::handle(&session, request).await).await
}
