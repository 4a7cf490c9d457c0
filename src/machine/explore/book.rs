//! SPEC.md and the parts of it that are generated: compared with the code, or written anew when `SELVEDGE_BLESS` is set.

use std::sync::{Mutex, PoisonError};
use std::{env, fs};

const SPEC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/SPEC.md");

/// Tests run side by side and each writes its own part.
static WRITING: Mutex<()> = Mutex::new(());

/// Fails unless the part of SPEC.md between `<!-- generated: NAME -->` and `<!-- end -->` is this text.
#[track_caller]
pub(crate) fn holds(name: &str, text: &str) {
    let _alone = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let spec = fs::read_to_string(SPEC).unwrap();
    let begin = format!("<!-- generated: {name} -->\n");
    let (before, rest) = spec.split_once(&begin).unwrap_or_else(|| panic!("SPEC.md has no place for {name}"));
    let (committed, after) = rest.split_once("<!-- end -->").unwrap();
    if committed == text {
        return;
    }
    if env::var_os("SELVEDGE_BLESS").is_some() {
        fs::write(SPEC, format!("{before}{begin}{text}<!-- end -->{after}")).unwrap();
    } else {
        let differs = committed.lines().zip(text.lines()).find(|(committed, seen)| committed != seen);
        let where_ = differs.map_or("one goes on where the other ends".to_owned(), |(committed, seen)| {
            format!("committed: {committed}\nseen:      {seen}")
        });
        panic!("SPEC.md is out of date in {name}; SELVEDGE_BLESS=1 writes it anew\n{where_}");
    }
}
