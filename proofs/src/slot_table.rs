//! The proof of the table of slots, for every number of entries that it can have, by trying each.
//!
//! Entries have no content, so that all of them fit into memory. Each number has a place of its own, the one behind the
//! last number's; an entry is put where its number is looked for; and a number that no entry has yet finds nothing.

use crate::claim::{Change, Claim, Describe};
use crate::explore::prove;
use crate::machine::slot_table::{CHUNKS, EntryLocation, SlotIndex, SlotTable};
use crate::symbol::Model;

pub fn claims() -> Vec<Claim> {
    vec![Claim { machine: "slot table", name: "an entry is pushed".into(), program: Box::new(pushes) }]
}

/// The first number with which something does not hold, or the last of all.
struct Last(SlotIndex);

impl Describe for Last {
    fn describe(&self, _: &Model) -> Vec<(&'static str, String)> {
        vec![("entries", self.0.to_string())]
    }
}

fn pushes() -> Option<Change> {
    let mut table = SlotTable::default();
    let mut expected = EntryLocation { chunk: 0, offset: 0 };
    let (mut in_its_place, mut is_new, mut is_found, mut is_counted) = (true, true, true, true);
    while in_its_place && is_new && is_found && is_counted && table.len() < SlotIndex::MAX {
        let index = table.len();
        in_its_place = EntryLocation::of(index) == expected && expected.chunk < CHUNKS;
        is_new = table.get(index).is_none();
        table.push(());
        is_found = table.get(index).is_some();
        is_counted = table.len() == index + 1;
        expected.offset += 1;
        if expected.offset == expected.chunk_len() {
            expected = EntryLocation { chunk: expected.chunk + 1, offset: 0 };
        }
    }
    prove("each number has the place behind the one before", in_its_place);
    prove("nothing is found before it is pushed", is_new);
    prove("what is pushed is found under its number", is_found);
    prove("what is pushed is counted", is_counted);
    let last = table.len();
    Some(Change { before: Box::new(Last(last)), after: Box::new(Last(last)) })
}
