//! A reactor for tests, with its pools and its clock in the hands of the test, in an order that a seed decides.

mod answers;
mod order;
mod reactor;
mod schedules;

pub use self::answers::Answers;
pub use self::reactor::TestReactor;
pub use self::schedules::schedules;
