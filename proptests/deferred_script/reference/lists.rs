//! The rules of Deferred lists: the results of members, and what they decide.

use super::{Answer, Deferred, DeferredResult, ErrorKind, ListKind, Model, Nth, Pair, given, receive};

/// Several Deferreds that are one.
pub(super) struct List {
    kind: ListKind,
    /// The Deferred of the whole list.
    whole: usize,
    slots: Vec<Slot>,
    /// The members without a result.
    members: Vec<Option<usize>>,
    missing: usize,
    /// The list holds the firing half of `whole`, until it has fired it or is cancelled.
    keeps: bool,
    /// The result of `whole`, until it is unpacked.
    outcome: Option<ListOutcome>,
    decided: bool,
}

#[derive(Clone, Copy)]
enum Slot {
    Waits(usize),
    Has(DeferredResult),
    /// No result is wanted, or it has been moved elsewhere.
    Spent,
}

/// The result of a list.
#[derive(Clone)]
enum ListOutcome {
    All(Vec<DeferredResult>),
    One(usize, DeferredResult),
    Nothing(Vec<DeferredResult>),
}

impl ListOutcome {
    fn receive(&mut self) {
        match self {
            Self::All(results) | Self::Nothing(results) => {
                results.iter_mut().for_each(|result| *result = receive(*result));
            }
            Self::One(_, result) => *result = receive(*result),
        }
    }
}

impl Model {
    /// B61, B62: members that have a result are taken at once, in the order of input.
    pub(super) fn list(&mut self, kind: ListKind, members: &[Nth]) {
        let members: Vec<usize> = members.iter().filter_map(|nth| self.take(*nth)).collect();
        let list = self.lists.len();
        let keeps = !members.is_empty();
        let whole = self.add_deferred(Deferred { list: Some(list), kept: keeps.into(), ..Deferred::default() });
        self.deferreds[whole].in_reach = false;
        self.lists.push(List {
            kind,
            whole,
            slots: members.iter().map(|&member| Slot::Waits(member)).collect(),
            members: members.iter().copied().map(Some).collect(),
            missing: members.len(),
            keeps,
            outcome: None,
            decided: false,
        });
        if members.is_empty() {
            self.complete(list);
        }
        for (index, member) in members.into_iter().enumerate() {
            self.add(member, Pair::Member(list, index));
            self.drop_deferred(member);
        }
        self.add(whole, Pair::Unpack);
        self.deferreds[whole].in_reach = true;
    }

    /// A member has its result. If that decides the list, the list fires.
    pub(super) fn member_settled(&mut self, list: usize, index: usize, result: DeferredResult) {
        let List { kind, decided, .. } = self.lists[list];
        let ok = !matches!(result, DeferredResult::Error(_));
        self.lists[list].missing -= 1;
        self.lists[list].members[index] = None;
        if decided {
            self.lists[list].slots[index] = Slot::Spent;
            self.drop_result(result);
        } else if match kind {
            ListKind::All => false,
            ListKind::Gather => !ok,
            ListKind::First | ListKind::Race => ok,
        } {
            self.decide(list, index, result);
        } else {
            self.lists[list].slots[index] = Slot::Has(result);
            if self.lists[list].missing == 0 {
                self.complete(list);
            }
        }
    }

    fn decide(&mut self, list: usize, index: usize, result: DeferredResult) {
        self.lists[list].decided = true;
        self.lists[list].slots[index] = Slot::Spent;
        self.drop_slots(list);
        if self.lists[list].kind == ListKind::Race {
            self.cancel_members(list);
        }
        let ok = !matches!(result, DeferredResult::Error(_));
        self.fire_list(list, ListOutcome::One(index, result), ok);
    }

    /// Its members were cancelled, and it has no result even then: what it has is lost.
    pub(super) fn give_up(&mut self, list: usize) {
        self.lists[list].decided = true;
        self.drop_slots(list);
    }

    fn drop_slots(&mut self, list: usize) {
        for at in 0..self.lists[list].slots.len() {
            if let Slot::Has(rest) = self.lists[list].slots[at] {
                self.lists[list].slots[at] = Slot::Spent;
                self.drop_result(rest);
            }
        }
    }

    fn complete(&mut self, list: usize) {
        self.lists[list].decided = true;
        let has = |slot: &Slot| if let Slot::Has(rest) = slot { Some(*rest) } else { None };
        let results = self.lists[list].slots.iter().filter_map(has).collect();
        match self.lists[list].kind {
            ListKind::All | ListKind::Gather => self.fire_list(list, ListOutcome::All(results), true),
            ListKind::First | ListKind::Race => self.fire_list(list, ListOutcome::Nothing(results), false),
        }
    }

    fn fire_list(&mut self, list: usize, outcome: ListOutcome, ok: bool) {
        let whole = self.lists[list].whole;
        self.lists[list].outcome = Some(outcome);
        if self.deferreds[whole].fired {
            return self.drop_outcome(list);
        }
        self.deferreds[whole].fired = true;
        self.deferreds[whole].result = Some(DeferredResult::List(list, ok));
        self.run_callbacks(whole);
        self.drop_list_resolver(list);
    }

    /// The list has fired `whole`, or is being cancelled: it drops the firing half.
    pub(super) fn drop_list_resolver(&mut self, list: usize) {
        let List { whole, keeps, .. } = self.lists[list];
        if keeps {
            self.lists[list].keeps = false;
            self.deferreds[whole].kept -= 1;
            self.after_drop(whole);
        }
    }

    pub(super) fn drop_outcome(&mut self, list: usize) {
        match self.lists[list].outcome.take() {
            Some(ListOutcome::All(results) | ListOutcome::Nothing(results)) => {
                results.into_iter().for_each(|it| self.drop_result(it))
            }
            Some(ListOutcome::One(_, result)) => self.drop_result(result),
            None => {}
        }
    }

    /// Cancels all members without a result, in the order of input.
    pub(super) fn cancel_members(&mut self, list: usize) {
        let mut waiting = Vec::new();
        for slot in &mut self.lists[list].slots {
            if let Slot::Waits(member) = *slot {
                *slot = Slot::Spent;
                waiting.push(member);
            }
        }
        waiting.into_iter().for_each(|member| self.cancel(member));
    }

    /// The members that it waits for.
    pub(super) fn missing_members(&self, list: usize) -> Vec<usize> {
        self.lists[list].members.iter().flatten().copied().collect()
    }

    /// What the program does with the result of a list.
    pub(super) fn unpack(&mut self, result: DeferredResult) -> DeferredResult {
        let DeferredResult::List(list, _) = result else { return result };
        let outcome = self.lists[list].outcome.as_mut().map(|outcome| {
            outcome.receive();
            outcome.clone()
        });
        match outcome {
            Some(ListOutcome::One(index, result)) => {
                self.say(Answer::Index(index));
                result
            }
            Some(ListOutcome::All(results)) => {
                results.iter().for_each(|result| self.say(Answer::Result(given(*result))));
                self.drop_outcome(list);
                self.new_value()
            }
            Some(ListOutcome::Nothing(results)) => {
                results.iter().for_each(|result| self.say(Answer::Result(given(*result))));
                self.drop_outcome(list);
                self.new_error()
            }
            None => DeferredResult::Error(ErrorKind::Other),
        }
    }
}
