//! The protocol, without sockets: bytes to lines, lines to commands, and what the server answers.

mod command;
mod lines;
mod reply;

pub use command::{BadLine, Command, ROOM_NAME};
pub use lines::{Line, Lines};
pub use reply::{DropReason, Reply};
