//! What must not compile, and what the compiler says instead.

use std::env;
use std::path::Path;
use std::process::Command;

/// Where the copy of this program finds its manifest, and that it is the copy.
const MANIFEST: &str = "CARGO_MANIFEST_DIR";

/// trybuild compiles all that a package's tests need once more for itself: a minute's work for nothing. It goes by the manifest that the
/// environment names, and a process does not change its own without `unsafe`; so a copy of this program is told of a smaller one.
// Checks: S1, S2, B1, B49
#[test]
fn misuse_does_not_compile() {
    let alone = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui");
    if env::var_os(MANIFEST).is_some_and(|manifest| Path::new(&manifest) == alone) {
        trybuild::TestCases::new().compile_fail("*.rs");
        return;
    }
    let program = env::current_exe().unwrap();
    let copy = Command::new(&program)
        .args(["misuse::misuse_does_not_compile", "--exact", "--nocapture"])
        .env(MANIFEST, &alone)
        .env("CARGO_TARGET_DIR", program.ancestors().nth(3).unwrap())
        .current_dir(&alone)
        .output()
        .unwrap();
    print!("{}{}", String::from_utf8_lossy(&copy.stdout), String::from_utf8_lossy(&copy.stderr));
    assert!(copy.status.success());
}
