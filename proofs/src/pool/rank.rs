//! A number of numbers that each step of threads and callers lowers, so that they come to rest.
