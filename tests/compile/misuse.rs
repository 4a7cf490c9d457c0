//! What must not compile, and what the compiler says instead.

use std::env;
use std::path::Path;
use std::process::Command;

/// The variable by which trybuild finds the manifest; set to the small one for the copy of this program.
const MANIFEST: &str = "CARGO_MANIFEST_DIR";

/// trybuild would compile all dev-dependencies once more, for programs that need none of them. It reads the manifest
/// that the environment names, and setting a variable of one's own process is `unsafe`; so a copy of this program is
/// started with a smaller manifest.
// Checks: S1, S2, B1, B49
#[test]
fn misuse_does_not_compile() {
    let alone = Path::new(env!("CARGO_MANIFEST_DIR")).join("compile/fail");
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
