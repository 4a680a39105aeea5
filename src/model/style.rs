//! How the entries of a store are set: the white space between them.

/// White space of a store, as its own writer left it. The default is what `JSON.stringify(store, null, 2)` writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Style {
    /// Between `{` and the first key.
    pub first: String,
    /// Between a comma and the key behind it.
    pub between: String,
    /// Between the last entry and `}`.
    pub last: String,
}

impl Default for Style {
    fn default() -> Self {
        Style { first: "\n  ".to_owned(), between: "\n  ".to_owned(), last: "\n".to_owned() }
    }
}

impl Style {
    /// As `JSON.stringify(store)` writes it.
    pub fn compact() -> Self {
        Style { first: String::new(), between: String::new(), last: String::new() }
    }

    /// What stands before a member inside an entry: one level deeper than the entries.
    pub fn inner(&self) -> String {
        match self.between.rsplit_once('\n') {
            Some((_, indent)) => format!("{}{indent}", self.between),
            None => String::new(),
        }
    }

    /// What stands between a name and its value.
    pub fn colon(&self) -> &'static str {
        if self.between.contains('\n') { ": " } else { ":" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_indented_once_more_than_entries() {
        assert_eq!((Style::default().inner().as_str(), Style::default().colon()), ("\n    ", ": "));
        assert_eq!((Style::compact().inner().as_str(), Style::compact().colon()), ("", ":"));
        let tabs = Style { between: "\r\n\t".to_owned(), ..Style::default() };
        assert_eq!(tabs.inner(), "\r\n\t\t");
    }
}
