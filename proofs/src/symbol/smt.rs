//! Terms as SMT-LIB writes them.

use super::{Arena, Atom, AtomId, Condition, ConditionTerm, Int};

impl Arena {
    fn write_int(&self, int: Int, text: &mut String) {
        let number = |value: i64| if value < 0 { format!("(- {})", -value) } else { value.to_string() };
        let linear = match int {
            Int::Constant(value) => return text.push_str(&number(value)),
            Int::Linear(id) => &self.linears[id.0 as usize],
        };
        text.push_str("(+ ");
        text.push_str(&number(linear.constant));
        for (atom, times) in &linear.terms {
            if *times == 1 {
                text.push(' ');
                self.write_atom(*atom, text);
            } else {
                text.push_str(&format!(" (* {} ", number(*times)));
                self.write_atom(*atom, text);
                text.push(')');
            }
        }
        text.push(')');
    }

    fn write_atom(&self, atom: AtomId, text: &mut String) {
        match &self.atoms[atom.0 as usize] {
            Atom::Unknown(name) => text.push_str(&format!("|{name}|")),
            Atom::If(condition, yes, no) => {
                text.push_str("(ite ");
                self.write_condition(*condition, text);
                text.push(' ');
                self.write_int(*yes, text);
                text.push(' ');
                self.write_int(*no, text);
                text.push(')');
            }
        }
    }

    pub(super) fn write_condition(&self, condition: Condition, text: &mut String) {
        let (id, negated) = match condition {
            Condition::Constant(value) => return text.push_str(if value { "true" } else { "false" }),
            Condition::Term { id, negated } => (id, negated),
        };
        if negated {
            text.push_str("(not ");
        }
        match &self.conditions[id.0 as usize] {
            ConditionTerm::Unknown(name) => text.push_str(&format!("|{name}|")),
            ConditionTerm::AtMostZero(id) | ConditionTerm::IsZero(id) => {
                let is_equality = matches!(self.conditions[condition.index()], ConditionTerm::IsZero(_));
                text.push_str(if is_equality { "(= " } else { "(<= " });
                self.write_int(Int::Linear(*id), text);
                text.push_str(" 0)");
            }
            ConditionTerm::All(all) => {
                text.push_str("(and");
                for each in all {
                    text.push(' ');
                    self.write_condition(*each, text);
                }
                text.push(')');
            }
        }
        if negated {
            text.push(')');
        }
    }
}
