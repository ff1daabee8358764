//! The Lambda function behind `Custom::ServiceAccess`.

use lambda_runtime::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let session = aws::Session::from_environment();
    cfn::run(session.http(), async |request| service_access::handle(&session, request).await).await
}
