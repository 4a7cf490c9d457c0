//! What a radix map is: a map by numbers that keeps no empty node, and has no more levels than its keys need.

use std::collections::BTreeMap;

use super::RadixMap;
use super::children::Children;
use super::key::{digit, followed_by, prefix};
use super::map::SPARE_LEAVES;

/// Checks the map against a reference, and then every continuation of `steps` more steps: a value is added, with a
/// key that is greater than the last by 1, 2, or very much; or one of the values is removed.
fn every_program<const BITS: u32>(map: &RadixMap<u64, BITS>, reference: &BTreeMap<u64, u64>, last: u64, steps: u8) {
    assert!(map.iter().eq(reference.iter().map(|(key, value)| (*key, value))));
    assert_eq!(map.len(), reference.len());
    if steps == 0 {
        return;
    }
    for key in [last + 1, last + 2, last | last << 7] {
        let (mut map, mut reference) = (map.clone(), reference.clone());
        if key > last {
            map.insert(key, key);
            reference.insert(key, key);
            every_program(&map, &reference, key, steps - 1);
        }
    }
    let first = map.clone().pop_first_if(|first| Some((first, first)) == reference.first_key_value());
    assert_eq!(first.is_some(), !reference.is_empty());
    assert!(map.clone().pop_first_if(|_| false).is_none());
    assert_eq!(map.first(), reference.first_key_value().map(|(key, value)| (*key, value)));
    for &key in reference.keys() {
        let (mut map, mut reference) = (map.clone(), reference.clone());
        assert!(map.remove(key ^ (1 << 60)).is_none());
        assert_eq!(map.get_mut(key), reference.get_mut(&key));
        assert!(map.get_mut(key ^ (1 << 60)).is_none());
        assert_eq!(map.remove(key), reference.remove(&key));
        assert!(map.remove(key).is_none());
        every_program(&map, &reference, last, steps - 1);
    }
}

// Checks: P51
#[test]
fn a_radix_map_is_a_map_and_keeps_no_empty_node() {
    every_program::<1>(&RadixMap::default(), &BTreeMap::new(), 5, 6);
    every_program::<2>(&RadixMap::default(), &BTreeMap::new(), u64::from(u32::MAX) - 2, 6);
    every_program::<6>(&RadixMap::default(), &BTreeMap::new(), 61, 6);
}

// Checks: P74
#[test]
fn a_radix_map_has_a_level_for_each_digit_in_which_its_keys_differ_and_no_more() {
    let mut map = RadixMap::<_>::default();
    (0..1 << 20).for_each(|key| map.insert(key, ()));
    assert_eq!(map.height + 1, 5);
    (0..1 << 20).for_each(|key| map.remove(key).unwrap());
    // A few at a time: many keys have come and gone.
    for key in 1 << 30..(1 << 30) + 1_000 {
        map.insert(key, ());
        if key % 10 == 9 {
            assert!(map.height < 3);
            while map.pop_first_if(|()| true).is_some() {}
        }
    }
    map.insert(0, ());
    map.insert(u64::MAX, ());
    assert_eq!(map.height + 1, 16);
}

// Checks: P74, P93
#[test]
fn a_radix_map_keeps_a_few_emptied_leaves_and_hands_out_all_other_nodes() {
    let mut map = RadixMap::<_>::default();
    (0..16 * 8).for_each(|key| map.insert(key, ()));
    (0..16 * 8).for_each(|key| map.remove(key).unwrap());
    assert_eq!(map.spare.len(), SPARE_LEAVES);
    // The other leaves, and the node above them all.
    assert_eq!(map.take_emptied().map(|emptied| emptied._nodes.len()), Some(8 - SPARE_LEAVES + 1));
    assert!(map.take_emptied().is_none());
    map.insert(0, ());
    assert_eq!(map.spare.len(), SPARE_LEAVES - 1, "a leaf that was kept is used first");
}

// Checks: P51
#[test]
fn a_radix_map_takes_the_last_key_there_is() {
    let mut map = RadixMap::<_>::default();
    for key in [0, 1 << 40, u64::MAX - 1, u64::MAX] {
        map.insert(key, key);
    }
    for key in [0, 1 << 40, u64::MAX - 1, u64::MAX] {
        assert_eq!(map.iter().next(), Some((key, &key)));
        assert_eq!(map.pop_first_if(|_| true), Some(key));
    }
    assert_eq!(map.len(), 0);
}

// Checks: P51
#[test]
fn a_key_is_the_list_of_its_digits() {
    // Each bit of a digit is one bit of the key, so keys of one bit and of two say it of all.
    let bits = || (0..u64::BITS).map(|bit| 1_u64 << bit);
    for key in bits().flat_map(|one| bits().map(move |other| one | other)).chain([0, u64::MAX]) {
        let mut left = key;
        for level in 0..u64::BITS / 4 {
            assert_eq!(digit::<4>(key, level) as u64, left % 16);
            assert_eq!(prefix::<4>(key, level), left / 16);
            assert_eq!(followed_by::<4>(prefix::<4>(key, level), digit::<4>(key, level)), left);
            left /= 16;
        }
        assert_eq!(left, 0);
    }
}

/// A node's children are a map by digits, whichever of them are present and however many were.
// Checks: P51
#[test]
fn a_node_is_a_map_by_digits() {
    const DIGITS: usize = 1 << 3;
    for present in 0_usize..1 << DIGITS {
        let last = (usize::BITS - present.leading_zeros()) as usize;
        for longest in last..=DIGITS {
            let mut node = Children::new(3);
            node.children = (0..longest).map(|digit| (present >> digit & 1 == 1).then_some(digit)).collect();
            node.present = present as u64;
            assert_eq!(node.is_empty(), present == 0);
            assert!(present == 0 || node.first() == present.trailing_zeros() as usize);
            for changed in 0..DIGITS {
                let was = (present >> changed & 1 == 1).then_some(changed);
                assert_eq!((node.get(changed), node.clone().get_mut(changed).copied()), (was.as_ref(), was));
                let (mut with, mut without) = (node.clone(), node.clone());
                with.put(changed, DIGITS);
                assert_eq!(without.take(changed), was);
                for digit in 0..DIGITS {
                    let other = node.get(digit).filter(|_| digit != changed);
                    assert_eq!(without.get(digit), other);
                    assert_eq!(with.get(digit), if digit == changed { Some(&DIGITS) } else { other });
                }
                assert!(node.present().eq((0..DIGITS).filter_map(|digit| Some((digit, node.get(digit)?)))));
                assert_eq!(with.present, node.present | 1 << changed);
                assert_eq!(without.present, node.present & !(1 << changed));
            }
        }
    }
}
