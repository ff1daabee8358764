//! A real binary under the Lambda Runtime API.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use simulator::{Function, Moment, Outcome, Settings, Simulator};

use super::patiently;

/// Long enough for anything that happens at all.
const DEADLINE: Duration = Duration::from_mins(1);

async fn function() -> (Simulator, Function) {
    let simulator = Simulator::start(Settings::default()).await.unwrap();
    let binary = Path::new(env!("CARGO_BIN_EXE_sample-function"));
    let function = Function::of(binary, &simulator).start().await.unwrap();
    (simulator, function)
}

fn event(then: &str, services: &[&str]) -> Value {
    let call = |service: &&str| json!(["EnableAWSServiceAccess", { "ServicePrincipal": service }]);
    json!({ "calls": services.iter().map(call).collect::<Vec<_>>(), "then": then })
}

#[tokio::test]
async fn a_function_answers_one_event_after_another() {
    let (simulator, function) = function().await;
    for service in ["backup.amazonaws.com", "ram.amazonaws.com"] {
        let outcome = function.invoke(&event("return", &[service]), DEADLINE).await;
        assert_eq!(outcome, Outcome::Returned(json!([null])));
    }
    assert_eq!(simulator.organization(|it| it.trusted_services().len()), 2);
    let outcome = function.invoke(&event("fail", &[]), DEADLINE).await;
    assert_eq!(outcome, Outcome::Failed(json!({ "errorType": "Told" })));
    assert_eq!(function.logs(), "started\n");
}

#[tokio::test]
async fn a_function_that_exits_is_told_from_one_that_answers() {
    let (_simulator, function) = function().await;
    let Outcome::Exited(Some(status)) = function.invoke(&event("exit", &[]), DEADLINE).await else {
        panic!("it did not exit");
    };
    assert_eq!(status.code(), Some(3));
    let again = function.invoke(&event("return", &[]), DEADLINE).await;
    assert_eq!(again, Outcome::Exited(Some(status)));
}

#[tokio::test]
async fn a_function_that_hangs_is_killed_at_its_deadline() {
    let (_simulator, function) = function().await;
    let outcome = patiently(function.invoke(&event("hang", &[]), Duration::from_millis(1))).await;
    assert_eq!(outcome, Outcome::TimedOut);
    assert_eq!(function.stop().await.and_then(|it| it.code()), None);
}

#[tokio::test]
async fn a_function_can_be_killed_before_and_after_any_call() {
    let services = ["backup.amazonaws.com", "ram.amazonaws.com", "config.amazonaws.com"];
    for (moment, done) in [(Moment::Before, 1), (Moment::After, 2)] {
        let (simulator, function) = function().await;
        let hold = simulator.hold(2, moment);
        let event = event("return", &services);
        let outcome = patiently(function.invoke_until(&event, DEADLINE, hold)).await;
        assert!(matches!(outcome, Outcome::Exited(Some(_))), "{outcome:?}");
        assert_eq!(simulator.organization(|it| it.trusted_services().len()), done);
    }
    let (simulator, function) = function().await;
    let hold = simulator.hold(4, Moment::Before);
    let event = event("return", &services);
    let outcome = patiently(function.invoke_until(&event, DEADLINE, hold)).await;
    assert!(matches!(outcome, Outcome::Returned(_)), "{outcome:?}");
}

#[tokio::test]
async fn a_function_is_called_by_whom_the_test_wants() {
    let simulator = Simulator::start(Settings::default()).await.unwrap();
    let account = simulator.organization(|it| it.accounts().last().unwrap().id.clone());
    let binary = Path::new(env!("CARGO_BIN_EXE_sample-function"));
    let function = Function::of(binary, &simulator).account(&account).start().await.unwrap();
    let outcome = function.invoke(&event("return", &["ram.amazonaws.com"]), DEADLINE).await;
    let Outcome::Returned(answers) = outcome else { panic!("{outcome:?}") };
    assert_eq!(answers[0]["__type"], "AccessDeniedException");
    assert_eq!(simulator.journal()[0].account, account);
}

#[tokio::test]
async fn a_missing_binary_is_an_error() {
    let simulator = Simulator::start(Settings::default()).await.unwrap();
    assert!(Function::of(Path::new("/nowhere"), &simulator).start().await.is_err());
}
