//! Programs over Deferreds that came out wrong once, or that the behaviour catalogue gives as examples.
