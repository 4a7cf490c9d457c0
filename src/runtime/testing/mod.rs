//! A reactor for tests: the test decides when its pools and its clock go on, and a seed may decide in which order.

mod answers;
mod order;
mod reactor;
mod schedules;

pub use self::answers::Answers;
pub use self::reactor::TestReactor;
pub use self::schedules::schedules;
