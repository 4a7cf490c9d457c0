//! Text that is read back: words with spaces between them.

/// What is left of a text.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a>(&'a [&'a str]);

impl<'a> Text<'a> {
    pub fn word(&mut self) -> Option<&'a str> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    /// The next word, if it is this one.
    pub fn expect(&mut self, word: &str) -> Option<()> {
        (self.word()? == word).then_some(())
    }

    /// Whether the next word is this one.
    pub fn sees(&self, word: &str) -> bool {
        self.0.first() == Some(&word)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What the whole text says.
///
/// # Panics
/// It says something else, or more.
pub fn line<T>(text: &str, read: impl FnOnce(&mut Text<'_>) -> Option<T>) -> T {
    let spaced = text.replace(';', " ; ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = Text(&words);
    let value = read(&mut rest).unwrap_or_else(|| panic!("not understood: `{text}`"));
    assert!(rest.is_empty(), "something is left of `{text}`: {rest:?}");
    value
}
