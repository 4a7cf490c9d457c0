//! Who is in which room.

use std::collections::HashMap;
use std::rc::Rc;

/// The number of a client: never reused, and its name in the chat.
pub type ClientId = usize;

/// The name of a room, shared by all that are in it.
pub type Room = Rc<str>;

/// A room is there while somebody is in it.
#[derive(Debug, Default)]
pub struct Rooms(HashMap<Room, Vec<ClientId>>);

impl Rooms {
    /// Adds a client, which is in no room.
    pub fn enter(&mut self, name: &str, id: ClientId) -> Room {
        let room = self.0.get_key_value(name).map_or_else(|| name.into(), |(room, _)| Rc::clone(room));
        self.0.entry(Rc::clone(&room)).or_default().push(id);
        room
    }

    /// Removes a client from its room: as many steps as there are members.
    pub fn leave(&mut self, room: &Room, id: ClientId) {
        let Some(members) = self.0.get_mut(room) else { return };
        if let Some(place) = members.iter().position(|member| *member == id) {
            members.swap_remove(place);
        }
        if members.is_empty() {
            self.0.remove(room);
        }
    }

    pub fn members(&self, room: &Room) -> &[ClientId] {
        self.0.get(room).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::{Rc, Rooms};

    #[test]
    fn rooms_come_and_go_with_their_members() {
        let mut rooms = Rooms::default();
        let [first, second] = [1, 2].map(|id| rooms.enter("room", id));
        let third = rooms.enter("other", 3);
        assert!(Rc::ptr_eq(&first, &second));
        assert_eq!((rooms.members(&first), rooms.members(&third)), (&[1, 2][..], &[3][..]));
        rooms.leave(&first, 1);
        rooms.leave(&first, 9);
        assert_eq!(rooms.members(&second), [2]);
        rooms.leave(&second, 2);
        rooms.leave(&third, 3);
        assert!(rooms.0.is_empty());
    }
}
