//! The current time at AWS, which every answer states.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::date_time::{DateTime, Format};

/// AWS's clock, as answers have reported it. Times that AWS reports must not be compared with the
/// clock of the machine.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// The number of seconds by which AWS's clock is ahead of the clock of the machine.
    ahead: Arc<AtomicI64>,
}

impl Clock {
    /// Wraps `connector` to read the time from every answer.
    pub fn watch(&self, connector: SharedHttpConnector) -> SharedHttpConnector {
        SharedHttpConnector::new(Watched { connector, clock: self.clone() })
    }

    /// Returns the time at AWS when it is `now` on this machine. Before the first answer both are
    /// the same.
    pub fn now(&self, now: SystemTime) -> SystemTime {
        let ahead = self.ahead.load(Ordering::Relaxed);
        let by = Duration::from_secs(ahead.unsigned_abs());
        let told = if ahead < 0 { now.checked_sub(by) } else { now.checked_add(by) };
        told.unwrap_or(now)
    }

    fn take(&self, answer: &HttpResponse) {
        let Some(date) = answer.headers().get("date") else { return };
        let Ok(date) = DateTime::from_str(date, Format::HttpDate) else { return };
        let here = DateTime::from(SystemTime::now());
        self.ahead.store(date.secs() - here.secs(), Ordering::Relaxed);
    }
}

#[derive(Debug)]
struct Watched {
    connector: SharedHttpConnector,
    clock: Clock,
}

impl HttpConnector for Watched {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (answer, clock) = (self.connector.call(request), self.clock.clone());
        HttpConnectorFuture::new(async move {
            let answer = answer.await;
            if let Ok(answer) = &answer {
                clock.take(answer);
            }
            answer
        })
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::body::SdkBody;

    use super::*;

    fn answer(date: &str) -> HttpResponse {
        let answer = hyper::Response::builder().header("date", date).body(SdkBody::empty());
        answer.unwrap().try_into().unwrap()
    }

    #[test]
    fn the_time_is_that_of_the_last_answer() {
        let clock = Clock::default();
        let now = SystemTime::now();
        assert_eq!(clock.now(now), now, "nobody has answered");
        let day = Duration::from_hours(24);
        for then in [now - day, now + day] {
            let date = DateTime::from(then).fmt(Format::HttpDate).unwrap();
            clock.take(&answer(&date));
            let off = clock.now(now).duration_since(then).unwrap_or_else(|it| it.duration());
            assert!(off < Duration::from_secs(3), "{off:?}");
        }
        let before = clock.now(now);
        clock.take(&answer("yesterday"));
        assert_eq!(clock.now(now), before, "what cannot be read changes nothing");
    }
}
