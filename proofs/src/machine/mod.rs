//! The machines, from the sources that ship, over the symbolic [`Count`](count::Count).

#[allow(dead_code, reason = "what ships has more readers than a proof")]
pub mod chunked_queue;
pub mod count;
#[path = "../../../src/machine/gather.rs"]
#[allow(dead_code, reason = "what ships has more readers than a proof")]
pub mod gather;
#[path = "../../../src/machine/inbox.rs"]
#[allow(dead_code, reason = "what ships has more readers than a proof")]
pub mod inbox;
#[path = "../../../src/machine/item_queue.rs"]
#[allow(dead_code, reason = "what ships has more readers than a proof")]
pub mod item_queue;
#[allow(dead_code, reason = "what ships has more readers than a proof")]
pub mod job_queue;
#[path = "../../../src/machine/oneshot.rs"]
#[allow(dead_code, reason = "what ships has more readers than a proof")]
pub mod oneshot;
pub mod place;
#[allow(dead_code, reason = "what ships has more readers than a proof")]
pub mod pool;
#[allow(dead_code, reason = "what ships has more readers than a proof")]
pub mod radix_map;
#[allow(dead_code, reason = "what ships has more readers than a proof")]
pub mod radix_tree;
#[path = "../../../src/machine/semaphore.rs"]
#[allow(dead_code, reason = "what ships has more readers than a proof")]
pub mod semaphore;
#[allow(dead_code, reason = "what ships has more readers than a proof")]
pub mod sleepers_list;
#[path = "../../../src/machine/pool/slot_table.rs"]
#[allow(dead_code, reason = "what ships has more readers than a proof")]
pub mod slot_table;
#[path = "../../../src/machine/pool/ticket.rs"]
#[allow(dead_code, reason = "what ships has more readers than a proof")]
pub mod ticket;
pub mod view;
#[allow(dead_code, reason = "what ships has more readers than a proof")]
pub mod wait_queue;
