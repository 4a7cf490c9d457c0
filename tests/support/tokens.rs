//! Rust code as tokens, for checks that read the sources.

/// The code as words, `::` and single signs, without comments, strings and characters.
pub fn tokens(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(&first) = chars.get(at) {
        let next = chars.get(at + 1).copied();
        if first == '/' && next == Some('/') {
            while chars.get(at).is_some_and(|char| *char != '\n') {
                at += 1;
            }
        } else if first == '"' {
            at += 1;
            while chars.get(at).is_some_and(|char| *char != '"') {
                at += if chars[at] == '\\' { 2 } else { 1 };
            }
            at += 1;
        } else if first == '\'' && (next == Some('\\') || chars.get(at + 2) == Some(&'\'')) {
            at += if next == Some('\\') { 3 } else { 2 };
            at += 1;
        } else if first.is_alphanumeric() || first == '_' {
            let start = at;
            while chars.get(at).is_some_and(|char| char.is_alphanumeric() || *char == '_') {
                at += 1;
            }
            found.push(chars[start..at].iter().collect());
        } else if first == ':' && next == Some(':') {
            found.push("::".to_owned());
            at += 2;
        } else {
            if !first.is_whitespace() {
                found.push(first.to_string());
            }
            at += 1;
        }
    }
    found
}
