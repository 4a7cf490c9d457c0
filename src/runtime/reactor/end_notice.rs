//! Notices of a reactor's end, for what may wait there without a timer or a value of its own.

use std::rc::{Rc, Weak};

use super::{DropOrder, Owned, Reactor};

/// What is notified when its reactor has ended.
pub(crate) trait EndListener: 'static {
    /// Also called when the notice is dropped earlier: the listener's own state says whether that means anything.
    fn reactor_ended(&self);
}

/// A value of the reactor whose drop tells the listener. It keeps the listener neither alive nor from being dropped.
pub(crate) struct EndNotice<T: EndListener>(Weak<T>);

impl<T: EndListener> Drop for EndNotice<T> {
    fn drop(&mut self) {
        if let Some(listener) = self.0.upgrade() {
            listener.reactor_ended();
        }
    }
}

impl Reactor {
    /// Tells `listener` when this reactor ends; inside this call, if it has ended. Dropping the owner withdraws the
    /// notice.
    pub(crate) fn notify_at_end<T: EndListener>(&self, listener: &Rc<T>) -> Owned<EndNotice<T>> {
        Owned::new(self, DropOrder::Listener, EndNotice(Rc::downgrade(listener)))
    }
}
