//! `sessions-doctor.toml`: what a project holds of the rules of `validate`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::UsageError;

/// What the file is called.
pub const NAME: &str = "sessions-doctor.toml";

/// How a rule counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Not at all.
    Allow,
    /// As a warning.
    Warning,
    /// As an error.
    Error,
}

/// The file.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `[rules]`: rule ids, each with how it counts.
    #[serde(default)]
    pub rules: BTreeMap<String, Level>,
}

impl Settings {
    /// Reads the text of the file at `path`.
    pub fn read(text: &str, path: &str) -> Result<Self, UsageError> {
        toml::from_str(text).map_err(|error| UsageError(format!("{path}: {error}")))
    }

    /// The rules that count so.
    pub fn at(&self, level: Level) -> Vec<String> {
        self.rules.iter().filter(|(_, of)| **of == level).map(|(id, _)| id.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_have_levels_and_slips_are_told() {
        let settings = Settings::read("[rules]\nalias-key = \"allow\"\nx = \"error\"\n", "f").unwrap();
        assert_eq!(settings.at(Level::Allow), ["alias-key"]);
        assert_eq!(Settings::read("", "f").unwrap(), Settings::default());
        for slip in ["[rules]\na = \"never\"", "[rule]\n", "a"] {
            assert!(Settings::read(slip, "f").unwrap_err().0.starts_with("f: "), "{slip}");
        }
    }
}
