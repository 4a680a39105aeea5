//! OpenClaw's formats: bytes to values, without the operating system.

/// Names and places.
pub mod layout {
    /// OpenClaw's rule for a `sessionId` that it accepts.
    pub fn is_safe_session_id(id: &str) -> bool {
        let bytes = id.as_bytes();
        bytes.len() <= 255
            && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
            && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._:@-".contains(byte))
    }
}
