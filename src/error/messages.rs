//! The macro that gives error types their messages. Generic error types implement `Display` themselves.

/// Implements `Display` and `Error` for error types: one message for each pattern, which may use the names that the
/// pattern binds.
///
/// `=> source` follows where an error has a source: for the patterns that are listed. All others have none.
macro_rules! messages {
    ($(
        $name:ident { $($pattern:pat => $message:literal,)+ } $(=> source { $($caused:pat => $source:expr,)+ })?
    )+) => {$(
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self {
                    $($pattern => write!(f, $message),)+
                }
            }
        }

        impl std::error::Error for $name {
            $(fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
                match self {
                    $($caused => $source,)+
                    _ => None,
                }
            })?
        }
    )+};
}

pub(super) use messages;
