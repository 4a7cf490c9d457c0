//! What single transitions of a chain and of a result cell do.

use super::{ChainStage, ChainState, ResultCell, ResultState, Unpause};

// Checks: B53
#[test]
fn each_unpause_ends_one_pause() {
    let mut chain = ChainState::new(ChainStage::Unfired);
    (0..3).for_each(|_| chain.pause());
    for left in [2, 1, 0] {
        assert_eq!((chain.unpause(), chain.pauses()), (Unpause::Nothing, left));
    }
    assert_eq!((chain.unpause(), chain.pauses()), (Unpause::NotPaused, 0));
}

// Checks: P20
#[test]
fn a_watcher_is_returned_when_another_replaces_it_or_it_is_removed() {
    let cell = ResultCell::<(), (), u8>::new(ResultState::Empty);
    assert_eq!((cell.watch(1), cell.watch(2)), (Ok(None), Ok(Some(1))));
    assert_eq!((cell.unwatch(), cell.unwatch()), (Some(2), None));
}
