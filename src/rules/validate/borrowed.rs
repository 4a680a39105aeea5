//! Rules that the verdicts on entries and stores have as well, as `validate` sees them.

use super::{Check, Told, error, error_from, warning};
use crate::openclaw::versions::Version;
use crate::rules::entry::{alias_key, duplicate_key, malformed_entry, malformed_session_id};
use crate::rules::store;

/// An earlier copy of a key.
pub static DUPLICATE_KEY: Check = Check {
    rule: &duplicate_key::RULE,
    gravity: error,
    message: |_| "a later copy of the key overrides this one: OpenClaw loses it".to_owned(),
};

/// An entry that is no object.
pub static MALFORMED_ENTRY: Check = Check {
    rule: &malformed_entry::RULE,
    gravity: |version, _| error_from(Version::ALLOWS_NO_ID, version),
    message: |told| {
        let fate = if told.version >= Version::DROPS_ON_LOAD {
            "drops it"
        } else if told.version >= Version::ALLOWS_NO_ID {
            "dies of it in `sessions cleanup`"
        } else {
            "counts it as a session"
        };
        format!("the entry is no object; OpenClaw {} {fate}", told.version.name())
    },
};

/// A `sessionId` that cannot be one.
pub static MALFORMED_SESSION_ID: Check = Check {
    rule: &malformed_session_id::RULE,
    gravity: |version, _| error_from(Version::DROPS_ON_LOAD, version),
    message: session_id,
};

/// A key that is folded into another.
pub static ALIAS_KEY: Check = Check {
    rule: &alias_key::RULE,
    gravity: error,
    message: |_| "another spelling of this key is there as well: OpenClaw keeps one of the two".to_owned(),
};

/// Bytes that are not UTF-8.
pub static INVALID_UTF8: Check = Check {
    rule: &store::INVALID_UTF8,
    gravity: warning,
    message: |_| "bytes that are not UTF-8: OpenClaw reads replacement characters".to_owned(),
};

fn session_id(told: &Told<'_>) -> String {
    let fate =
        if told.version >= Version::DROPS_ON_LOAD { "drops the entry" } else { "finds no transcript by it" };
    format!("sessionId is {}, which cannot be one: OpenClaw {} {fate}", told.value, told.version.name())
}
