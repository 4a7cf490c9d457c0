//! The pool explored.
