//! What must not compile, and what the compiler says instead.

// Checks: S1, S2, B1, B49
#[test]
fn misuse_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
