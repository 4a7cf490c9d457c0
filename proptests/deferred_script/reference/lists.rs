//! Lists in flat lists: what each member has come to, and what that decides.

use super::{Answer, Deferred, ListKind, Model, Nth, Pair, Rest, Why, given};

/// Several Deferreds that are one.
pub(super) struct List {
    kind: ListKind,
    /// The one that they are.
    whole: usize,
    slots: Vec<Slot>,
    /// Those that have not brought their result.
    members: Vec<Option<usize>>,
    missing: usize,
    /// It keeps the whole, as the one who fires it, until it has done that or is cancelled.
    keeps: bool,
    /// The whole has its result, and this is it, until it is taken apart.
    came: Option<Came>,
    decided: bool,
}

#[derive(Clone, Copy)]
enum Slot {
    Waits(usize),
    Has(Rest),
    /// It has no result yet and none is wanted, or its result is somewhere else.
    Spent,
}

/// What a list comes to.
#[derive(Clone)]
enum Came {
    All(Vec<Rest>),
    One(usize, Rest),
    Nothing(Vec<Rest>),
}

impl Model {
    /// B61, B62: members that have their result are taken at once, in the order of input.
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
            came: None,
            decided: false,
        });
        if members.is_empty() {
            self.complete(list);
        }
        for (index, member) in members.into_iter().enumerate() {
            self.add(member, Pair::Member(list, index));
            self.let_go(member);
        }
        self.add(whole, Pair::TakeApart);
        self.deferreds[whole].in_reach = true;
    }

    /// A member has its result. If that decides the list, the whole goes on with it.
    pub(super) fn bring(&mut self, list: usize, index: usize, result: Rest) {
        let List { kind, decided, .. } = self.lists[list];
        let well = !matches!(result, Rest::Error(_));
        self.lists[list].missing -= 1;
        self.lists[list].members[index] = None;
        if decided {
            self.lists[list].slots[index] = Slot::Spent;
            self.drop_result(result);
        } else if match kind {
            ListKind::All => false,
            ListKind::Gather => !well,
            ListKind::First | ListKind::Race => well,
        } {
            self.decide(list, index, result);
        } else {
            self.lists[list].slots[index] = Slot::Has(result);
            if self.lists[list].missing == 0 {
                self.complete(list);
            }
        }
    }

    fn decide(&mut self, list: usize, index: usize, result: Rest) {
        self.lists[list].decided = true;
        self.lists[list].slots[index] = Slot::Spent;
        for at in 0..self.lists[list].slots.len() {
            if let Slot::Has(rest) = self.lists[list].slots[at] {
                self.lists[list].slots[at] = Slot::Spent;
                self.drop_result(rest);
            }
        }
        if self.lists[list].kind == ListKind::Race {
            self.cancel_members(list);
        }
        let well = !matches!(result, Rest::Error(_));
        self.fire_list(list, Came::One(index, result), well);
    }

    fn complete(&mut self, list: usize) {
        self.lists[list].decided = true;
        let has = |slot: &Slot| if let Slot::Has(rest) = slot { Some(*rest) } else { None };
        let results = self.lists[list].slots.iter().filter_map(has).collect();
        match self.lists[list].kind {
            ListKind::All | ListKind::Gather => self.fire_list(list, Came::All(results), true),
            ListKind::First | ListKind::Race => self.fire_list(list, Came::Nothing(results), false),
        }
    }

    fn fire_list(&mut self, list: usize, came: Came, well: bool) {
        let whole = self.lists[list].whole;
        self.lists[list].came = Some(came);
        if self.deferreds[whole].fired {
            return self.drop_what_came(list);
        }
        self.deferreds[whole].fired = true;
        self.deferreds[whole].result = Some(Rest::List(list, well));
        self.run_callbacks(whole);
        self.let_whole_go(list);
    }

    /// The list has fired it, or is being cancelled, and has nothing more to do with it.
    pub(super) fn let_whole_go(&mut self, list: usize) {
        let List { whole, keeps, .. } = self.lists[list];
        if keeps {
            self.lists[list].keeps = false;
            self.deferreds[whole].kept -= 1;
            self.goes(whole);
        }
    }

    pub(super) fn drop_what_came(&mut self, list: usize) {
        match self.lists[list].came.take() {
            Some(Came::All(results) | Came::Nothing(results)) => {
                results.into_iter().for_each(|it| self.drop_result(it))
            }
            Some(Came::One(_, result)) => self.drop_result(result),
            None => {}
        }
    }

    /// All that have no result, in the order of input.
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

    /// Those for which it waits.
    pub(super) fn missing_members(&self, list: usize) -> Vec<usize> {
        self.lists[list].members.iter().flatten().copied().collect()
    }

    /// What the program does with what a list comes to.
    pub(super) fn take_apart(&mut self, result: Rest) -> Rest {
        let Rest::List(list, _) = result else { return result };
        let came = self.lists[list].came.clone();
        match came {
            Some(Came::One(index, result)) => {
                self.say(Answer::Index(index));
                result
            }
            Some(Came::All(results)) => {
                results.iter().for_each(|result| self.say(Answer::Rest(given(*result))));
                self.drop_what_came(list);
                self.new_value()
            }
            Some(Came::Nothing(results)) => {
                results.iter().for_each(|result| self.say(Answer::Rest(given(*result))));
                self.drop_what_came(list);
                self.new_error()
            }
            None => Rest::Error(Why::SomethingElse),
        }
    }
}
