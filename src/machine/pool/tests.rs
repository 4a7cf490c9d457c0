//! Tests of the structures inside the pool's machine.

use super::sleepers::Sleepers;

// Checks: P66
#[test]
fn sleepers_leave_from_either_end_and_from_the_middle_in_the_order_in_which_they_fell_asleep() {
    let mut sleepers = Sleepers::default();
    for slot in 0..40 {
        sleepers.add_slot(slot);
        sleepers.push(slot, slot % 2 == 0);
    }
    assert_eq!((sleepers.len(), sleepers.untimed()), (40, 20));
    assert_eq!((sleepers.pop_last(), sleepers.pop_first()), (Some(39), Some(0)));
    sleepers.remove(17);
    sleepers.remove(17);
    let expected: Vec<_> = (1..39).filter(|slot| *slot != 17).collect();
    assert_eq!(sleepers.iter().collect::<Vec<_>>(), expected);
    assert_eq!((sleepers.len(), sleepers.untimed()), (37, 18));
    sleepers.add_slot(0);
    sleepers.push(0, true);
    let mut last_first = Vec::new();
    while let Some(slot) = sleepers.pop_last() {
        last_first.push(slot);
    }
    assert_eq!(last_first, [0].into_iter().chain(expected.into_iter().rev()).collect::<Vec<_>>());
    assert_eq!((sleepers.len(), sleepers.untimed(), sleepers.pop_first()), (0, 0, None));
}
