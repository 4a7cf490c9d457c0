//! Everybody hears the room, whatever others do.

use std::collections::BTreeSet;

use crate::client::{Client, text};
use crate::program::Server;

const ROOMS: usize = 10;
const IN_A_ROOM: usize = 100;

#[test]
fn each_of_a_thousand_clients_hears_its_room() {
    let server = Server::start(&[]);
    let mut rooms: Vec<Vec<Client>> = (0..ROOMS)
        .map(|room| (0..IN_A_ROOM).map(|_| Client::enter(&server.address, &format!("room {room}"))).collect())
        .collect();
    for (room, clients) in rooms.iter_mut().enumerate() {
        clients.iter_mut().enumerate().for_each(|(n, client)| client.say(&format!("{n} of {room}")));
    }
    for (room, clients) in rooms.iter_mut().enumerate() {
        for (own, client) in clients.iter_mut().enumerate() {
            let heard: BTreeSet<String> = (1..IN_A_ROOM).map(|_| client.hear_text()).collect();
            let others = (0..IN_A_ROOM).filter(|n| *n != own).map(|n| format!("{n} of {room}"));
            assert_eq!(heard, others.collect());
        }
    }
    server.terminate();
    for client in rooms.into_iter().flatten() {
        assert_eq!(client.hear_to_the_end(), ["the server stops"]);
    }
    server.ends_well();
}

#[test]
fn what_one_client_does_wrong_harms_no_other() {
    let server = Server::start(&[]);
    let [mut speaker, listener] = ["room"; 2].map(|room| Client::enter(&server.address, room));
    for n in 0..100 {
        let mut leaves = Client::enter(&server.address, "room");
        leaves.send(b"\xff\0half a line");
        speaker.say(&n.to_string());
        // With what it has not read: its socket is reset, perhaps while it is being sent more.
        drop(leaves);
    }
    speaker.join("elsewhere");
    server.terminate();
    assert_eq!(speaker.hear_to_the_end(), ["the server stops"]);
    let heard = listener.hear_to_the_end();
    let said = (0..100).map(|n| n.to_string()).chain(["the server stops".to_owned()]);
    assert!(heard.iter().map(|line| text(line)).eq(said), "{heard:?}");
    server.ends_well();
}

#[test]
fn who_leaves_a_room_hears_it_no_more_and_a_last_word_is_heard() {
    let server = Server::start(&[]);
    let [mut stays, mut moves, mut leaves] = ["one"; 3].map(|room| Client::enter(&server.address, room));
    moves.join("two");
    leaves.say("the last word");
    leaves.say("/quit");
    leaves.say("is not heard");
    assert_eq!(leaves.hear_to_the_end(), ["bye"]);
    assert_eq!(stays.hear_text(), "the last word");
    stays.close_its_end();
    assert_eq!(stays.hear_to_the_end(), ["bye"]);
    assert_eq!(moves.ask(b"/ping"), "pong ");
}
