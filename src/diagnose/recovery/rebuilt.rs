//! An entry made anew, because no file holds it any more: nothing in it but what is certain.

use std::path::{Path, PathBuf};

use crate::model::Millis;
use crate::model::key::{Family, SessionKey};
use crate::model::style::Style;
use crate::model::verdict::Confidence;

/// A conversation that has its transcript, and gets its entry back.
#[derive(Clone, Debug)]
pub struct Rebuilt {
    /// The decoded key.
    pub key: String,
    /// The session's id.
    pub session: String,
    /// Its transcript.
    pub transcript: PathBuf,
    /// The last sign of life.
    pub updated_at: Millis,
    /// Who tells the key.
    pub told_by: String,
    /// How sure that is.
    pub confidence: Confidence,
}

impl Rebuilt {
    /// The key as JSON.
    pub fn raw_key(&self) -> String {
        quoted(&self.key)
    }

    /// The family of the key.
    pub fn family(&self) -> Family {
        SessionKey::parse(&self.key, "main").shape.family()
    }

    /// The member, set like its neighbours: `sessionId`, `updatedAt`, and `sessionFile` where the transcript has
    /// another name than OpenClaw would look for.
    pub fn text(&self, style: &Style) -> Vec<u8> {
        let mut members = vec![
            format!("\"sessionId\"{}{}", style.colon(), quoted(&self.session)),
            format!("\"updatedAt\"{}{}", style.colon(), self.updated_at),
        ];
        if self.transcript.file_name() != Some(Path::new(&format!("{}.jsonl", self.session)).as_os_str()) {
            let path = quoted(&self.transcript.display().to_string());
            members.push(format!("\"sessionFile\"{}{path}", style.colon()));
        }
        let (inner, outer) = (style.inner(), &style.between);
        let body = members.join(&format!(",{inner}"));
        format!("{}{}{{{inner}{body}{outer}}}", self.raw_key(), style.colon()).into_bytes()
    }
}

/// As `JSON.stringify` quotes it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rebuilt(transcript: &str) -> Rebuilt {
        Rebuilt {
            key: "agent:main:main".to_owned(),
            session: "s".to_owned(),
            transcript: PathBuf::from(transcript),
            updated_at: 7,
            told_by: String::new(),
            confidence: Confidence::Certain,
        }
    }

    #[test]
    fn it_is_set_like_its_neighbours_and_holds_nothing_that_is_not_known() {
        let indented = rebuilt("/x/s.jsonl").text(&Style::default());
        let expected = "\"agent:main:main\": {\n    \"sessionId\": \"s\",\n    \"updatedAt\": 7\n  }";
        assert_eq!(String::from_utf8(indented).unwrap(), expected);
        let compact = rebuilt("/x/s-topic-4.jsonl").text(&Style::compact());
        let expected =
            r#""agent:main:main":{"sessionId":"s","updatedAt":7,"sessionFile":"/x/s-topic-4.jsonl"}"#;
        assert_eq!(String::from_utf8(compact).unwrap(), expected);
    }
}
