//! Deferreds as a program sees them: one property a test, each with the clause that it checks.

#![allow(clippy::unwrap_used, clippy::panic, reason = "it is how tests fail")]

mod deferred {
    mod support;

    mod cancel;
    mod chain;
    mod leaks;
    mod nested;
    mod pause;
    mod stack;
    mod timeout;
    mod unhandled;
}
