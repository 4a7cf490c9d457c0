//! A callback's error has to be an error.
// Checks: B50

fn main() {
    let number = selvedge::Deferred::succeed("7").add_callback(|text| text.parse::<u32>().map_err(|e| e.to_string()));
    let _ = number.map(|number| println!("{number}"));
}
