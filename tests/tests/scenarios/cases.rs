//! Requests that together make every kind of call, run for facts about all of them.

use simulator::{Entry, Settings};
pub(crate) use tests::cases::{Case, all};
use tests::stack::Answer;
use tokio::sync::OnceCell;
use tokio::task::JoinSet;

/// A case, and what comes of it when nothing goes wrong.
#[derive(Clone)]
pub(crate) struct Undisturbed {
    pub(crate) case: Case,
    pub(crate) calls: Vec<Entry>,
    pub(crate) answer: Answer,
    pub(crate) end: String,
}

/// Every case, run once for all tests.
pub(crate) async fn undisturbed() -> Vec<Undisturbed> {
    static ALL: OnceCell<Vec<Undisturbed>> = OnceCell::const_new();
    let all = ALL.get_or_init(|| async {
        let mut running = JoinSet::new();
        for case in all() {
            running.spawn(async move {
                let organization = case.organization(Settings::default()).await;
                let (mut stack, event) = case.begin(&organization).await;
                let answer = stack.send(&event).await.ok();
                let (calls, end) = (organization.journal(), organization.state());
                Undisturbed { case, calls, answer, end }
            });
        }
        running.join_all().await
    });
    all.await.clone()
}

/// Runs `check` for everything in `items`, many at a time, since most of the time they wait.
pub(crate) async fn for_each<T, F>(items: Vec<T>, check: impl Fn(T) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut running = JoinSet::new();
    for item in items {
        if running.len() >= 24 {
            running.join_next().await.unwrap().unwrap();
        }
        running.spawn(check(item));
    }
    running.join_all().await;
}
