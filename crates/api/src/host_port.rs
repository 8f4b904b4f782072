//! How are an address and a port written as one?
//!
//! Source: Go's `net.JoinHostPort`: whatever holds a colon stands in brackets.

use std::fmt::Display;

/// `10.0.0.1:80`, `[2001:db8::1]:80`.
///
/// ```
/// assert_eq!(api::host_port::join("10.0.0.1", 80), "10.0.0.1:80");
/// assert_eq!(api::host_port::join("2001:db8::1", 80), "[2001:db8::1]:80");
/// ```
#[must_use]
pub fn join(host: &str, port: impl Display) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}
