//! Which lines a client must hear, and whether it has heard them.
//!
//! Each place in a room is taken by one connection after the other, its *incarnations*; each numbers its lines from
//! zero. What a client hears of a place is one incarnation after the other, and of each a run of numbers without a gap.
//! A run begins no later than with the first line after the client had entered, and is whole at its end unless the one
//! who spoke was cut off.

/// What a place in a room has said.
#[derive(Debug, Default, Clone)]
pub struct Spoken {
    pub incarnation: u32,
    /// Lines of this incarnation.
    pub lines: u32,
    /// Lines of each earlier one, if all of them reached the server.
    pub before: Vec<Option<u32>>,
}

/// What a client has heard of a place.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    incarnation: u32,
    /// The number of the next line. Until the first one is heard: the largest that it may have.
    next: u32,
    has_begun: bool,
}

impl Spoken {
    /// The one who spoke has gone. `whole`: all that it said has reached the server.
    pub fn end(&mut self, whole: bool) {
        self.before.push(Some(self.lines).filter(|_| whole));
        (self.incarnation, self.lines) = (self.incarnation + 1, 0);
    }
}

impl Heard {
    /// A client has entered, and hears all that is said from now on.
    pub fn from_now(spoken: &Spoken) -> Self {
        Self { incarnation: spoken.incarnation, next: spoken.lines, has_begun: false }
    }

    /// It hears a line. Returns how many were lost before it, or that it came out of order.
    pub fn line(&mut self, incarnation: u32, number: u32, spoken: &Spoken) -> Result<u32, String> {
        if incarnation < self.incarnation && !self.has_begun {
            // Said before it entered, taken by the server after.
            return Ok(0);
        }
        if incarnation < self.incarnation || incarnation > spoken.incarnation {
            return Err(format!("a line of incarnation {incarnation}: {self:?}"));
        }
        let mut lost = self.up_to(incarnation, spoken);
        let is_early = !self.has_begun && number < self.next;
        if number < self.next && !is_early {
            return Err(format!("line {number} of incarnation {incarnation} is out of order: {self:?}"));
        }
        lost += number.saturating_sub(self.next);
        (self.next, self.has_begun) = (number + 1, true);
        Ok(lost)
    }

    /// All that was said has been heard, or is lost: returns how many.
    pub fn end(&mut self, spoken: &Spoken) -> u32 {
        let lost = self.up_to(spoken.incarnation, spoken);
        lost + spoken.lines.saturating_sub(self.next)
    }

    /// Goes on to a later incarnation. Returns how many lines of those before are lost.
    fn up_to(&mut self, incarnation: u32, spoken: &Spoken) -> u32 {
        let mut lost = 0;
        while self.incarnation < incarnation {
            let said = spoken.before[self.incarnation as usize];
            lost += said.map_or(0, |said| said.saturating_sub(self.next));
            *self = Self { incarnation: self.incarnation + 1, next: 0, has_begun: self.has_begun };
        }
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::{Heard, Spoken};

    #[test]
    fn gaps_are_counted_within_and_between_incarnations_and_at_the_end() {
        let mut spoken = Spoken { lines: 5, ..Spoken::default() };
        let mut heard = Heard::from_now(&spoken);
        assert_eq!(heard.line(0, 3, &spoken), Ok(0), "it may hear more than it must");
        spoken.lines = 10;
        assert_eq!(heard.line(0, 4, &spoken), Ok(0));
        assert_eq!(heard.line(0, 6, &spoken), Ok(1));
        assert!(heard.line(0, 6, &spoken).is_err() && heard.line(1, 0, &spoken).is_err());
        spoken.end(true);
        spoken.lines = 3;
        assert_eq!(heard.line(1, 1, &spoken), Ok(3 + 1));
        assert!(heard.line(0, 9, &spoken).is_err());
        assert_eq!({ heard }.end(&spoken), 1);
        spoken.end(false);
        assert_eq!({ heard }.end(&spoken), 0, "one that is cut off may not have been heard");
        spoken.end(true);
        spoken.lines = 2;
        assert_eq!(heard.end(&spoken), 2);
    }

    #[test]
    fn who_enters_later_need_not_hear_what_was_said_before() {
        let mut spoken = Spoken { lines: 5, ..Spoken::default() };
        spoken.end(true);
        let mut heard = Heard::from_now(&spoken);
        assert_eq!(heard.line(0, 4, &spoken), Ok(0));
        spoken.lines = 1;
        assert_eq!(heard.end(&spoken), 1);
    }
}
