//! The Lambda function behind `Custom::PolicyTypes`.

use lambda_runtime::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let session = aws::Session::from_environment();
    cfn::run(session.http(), async |request| policy_types::handle(&session, request).await).await
}
