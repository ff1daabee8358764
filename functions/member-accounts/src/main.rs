//! The Lambda function behind `Custom::MemberAccounts`.

use lambda_runtime::Error;
use member_accounts::{handle, perform};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let session = aws::Session::from_environment(aws::Reader::Author);
    let handle = async |request, ticket| handle(&session, request, ticket).await;
    let perform = async |task| perform(&session, task).await;
    cfn::run_with_tasks(session.http(), handle, perform).await
}
