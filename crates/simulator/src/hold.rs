//! Calls that are stopped at a defined moment, so that a test can kill the caller there.

use tokio::sync::oneshot;

/// The moment at which a call is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before its work is done.
    Before,
    /// After its work is done, and before it is answered.
    After,
}

/// A call that is held when it arrives, until this is dropped. It is never answered.
#[derive(Debug)]
pub struct Hold {
    reached: oneshot::Receiver<()>,
    _release: oneshot::Sender<()>,
}

impl Hold {
    /// Waits until the call is held. Returns `false` if it can no longer arrive.
    pub async fn reached(&mut self) -> bool {
        (&mut self.reached).await.is_ok()
    }
}

/// The server's end of a [`Hold`].
pub(crate) struct Held {
    call: u64,
    moment: Moment,
    reached: oneshot::Sender<()>,
    release: oneshot::Receiver<()>,
}

impl Held {
    /// Reports that the call has arrived, and waits until the hold is released.
    pub(crate) async fn wait(self) {
        let _nobody_listens = self.reached.send(());
        let _released = self.release.await;
    }
}

/// The calls to hold.
#[derive(Default)]
pub(crate) struct Holds {
    seen: u64,
    held: Vec<Held>,
}

impl Holds {
    /// Holds the `nth` call from now on, counted from 1.
    pub(crate) fn add(&mut self, nth: u64, moment: Moment) -> Hold {
        let (reached, was_reached) = oneshot::channel();
        let (release, was_released) = oneshot::channel();
        let call = self.seen + nth;
        self.held.push(Held { call, moment, reached, release: was_released });
        Hold { reached: was_reached, _release: release }
    }

    pub(crate) fn count(&mut self) {
        self.seen += 1;
    }

    /// Returns the hold for the last call.
    pub(crate) fn take(&mut self, moment: Moment) -> Option<Held> {
        self.held.retain_mut(|it| !it.reached.is_closed());
        let wanted = |it: &Held| it.moment == moment && it.call <= self.seen;
        let index = self.held.iter().position(wanted)?;
        Some(self.held.swap_remove(index))
    }
}
