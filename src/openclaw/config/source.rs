//! From files to one tree: JSON5, `$include` and `${VAR}`.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use super::ConfigError;
use crate::openclaw::json::{self, Tree};
use crate::openclaw::layout::absolute;

const INCLUDE: &str = "$include";

/// How many files may stand inside one another, the root not counted.
const MAX_INCLUDE_DEPTH: usize = 10;

/// How many files are read in all; only a hostile configuration has more.
const MAX_FILES: usize = 512;

/// An error about a file as a whole.
pub(super) fn trouble(file: &Path, reason: &str) -> Box<ConfigError> {
    Box::new(ConfigError {
        file: file.to_owned(),
        line: None,
        column: None,
        setting: None,
        reason: reason.to_owned(),
        partial: None,
    })
}

/// Reads the root and what it includes, and collects what goes wrong on the way.
pub(super) struct Loader<'a> {
    read: &'a mut dyn FnMut(&Path) -> io::Result<Vec<u8>>,
    /// The files being read, outermost first.
    chain: Vec<PathBuf>,
    /// Includes must lie below here, as OpenClaw demands.
    directory: PathBuf,
    pub files: Vec<PathBuf>,
    pub troubles: Vec<ConfigError>,
}

impl<'a> Loader<'a> {
    pub fn new(root: &Path, read: &'a mut dyn FnMut(&Path) -> io::Result<Vec<u8>>) -> Self {
        let root = absolute(Path::new("/"), root);
        let directory = root.parent().unwrap_or(&root).to_owned();
        Self { read, chain: vec![root.clone()], directory, files: vec![root], troubles: Vec::new() }
    }

    /// The tree of the root file; `None` when it does not parse or is no object.
    pub fn root(&mut self, bytes: &[u8]) -> Option<Tree> {
        let tree = self.parsed(bytes)?;
        let tree = self.expand(tree, "");
        matches!(tree, Tree::Object(_)).then_some(tree)
    }

    fn parsed(&mut self, bytes: &[u8]) -> Option<Tree> {
        json::parse_json5(bytes)
            .map_err(|fault| {
                let error = self.blame(None, fault.reason);
                self.troubles.push(ConfigError { line: fault.line, column: fault.column, ..error });
            })
            .ok()
    }

    fn blame(&self, setting: Option<&str>, reason: String) -> ConfigError {
        let file = self.chain.last().map_or(Path::new(""), PathBuf::as_path);
        let setting = setting.filter(|path| !path.is_empty()).map(str::to_owned);
        ConfigError { setting, ..*trouble(file, &reason) }
    }

    /// Replaces every object that has an `$include`. The parser has limited the nesting of each file.
    fn expand(&mut self, tree: Tree, at: &str) -> Tree {
        match tree {
            Tree::List(items) => {
                let items = items.into_iter().enumerate();
                Tree::List(items.map(|(i, item)| self.expand(item, &below(at, &i.to_string()))).collect())
            }
            Tree::Object(members) => self.expand_object(members, at),
            other => other,
        }
    }

    fn expand_object(&mut self, members: Vec<(String, Tree)>, at: &str) -> Tree {
        let (mut includes, mut siblings) = (None, Vec::with_capacity(members.len()));
        for (key, value) in members {
            if key == INCLUDE {
                includes = Some(value);
            } else {
                let value = self.expand(value, &below(at, &key));
                siblings.push((key, value));
            }
        }
        let Some(includes) = includes else { return Tree::Object(siblings) };
        let included = self.included(&includes, at);
        match included {
            Some(tree) if siblings.is_empty() => tree,
            Some(tree @ Tree::Object(_)) => merge(tree, Tree::Object(siblings)),
            Some(_) => {
                self.troubles
                    .push(self.blame(Some(at), "what is included beside other keys is no object".into()));
                Tree::Object(siblings)
            }
            None => Tree::Object(siblings),
        }
    }

    fn included(&mut self, value: &Tree, at: &str) -> Option<Tree> {
        let names: Option<Vec<&str>> = match value {
            Tree::Text(name) => Some(vec![name]),
            Tree::List(items) => items.iter().map(Tree::text).collect(),
            _ => None,
        };
        let Some(names) = names else {
            self.troubles.push(self.blame(Some(at), "$include is neither a path nor a list of paths".into()));
            return None;
        };
        let single = matches!(value, Tree::Text(_));
        let trees: Vec<Tree> = names.into_iter().filter_map(|name| self.file(name, at)).collect();
        match single {
            true => trees.into_iter().next(),
            false => Some(trees.into_iter().fold(Tree::Object(Vec::new()), merge)),
        }
    }

    fn file(&mut self, name: &str, at: &str) -> Option<Tree> {
        let from = self.chain.last().and_then(|file| file.parent()).unwrap_or(Path::new("/"));
        let path = absolute(from, Path::new(name));
        let read = self.allowed(&path).and_then(|()| (self.read)(&path).map_err(|error| error.to_string()));
        match read {
            Err(reason) => {
                let reason = format!("cannot include {}: {reason}", path.display());
                self.troubles.push(self.blame(Some(at), reason));
                None
            }
            Ok(bytes) => {
                self.files.push(path.clone());
                self.chain.push(path);
                let tree = self.parsed(&bytes).map(|tree| self.expand(tree, at));
                self.chain.pop();
                tree
            }
        }
    }

    fn allowed(&self, path: &Path) -> Result<(), String> {
        if self.chain.iter().any(|file| file == path) {
            return Err("it includes itself".into());
        }
        if self.chain.len() > MAX_INCLUDE_DEPTH {
            return Err(format!("more than {MAX_INCLUDE_DEPTH} files inside one another"));
        }
        if self.files.len() >= MAX_FILES {
            return Err(format!("more than {MAX_FILES} files"));
        }
        if !path.starts_with(&self.directory) {
            return Err("it lies outside the directory of the configuration, which OpenClaw refuses".into());
        }
        Ok(())
    }
}

/// OpenClaw's deep merge: arrays are joined, objects merged, anything else is replaced by the later value.
fn merge(target: Tree, source: Tree) -> Tree {
    match (target, source) {
        (Tree::List(mut first), Tree::List(second)) => {
            first.extend(second);
            Tree::List(first)
        }
        (Tree::Object(mut members), Tree::Object(later)) => {
            for (key, value) in later {
                match members.iter_mut().find(|(name, _)| *name == key) {
                    Some((_, old)) => *old = merge(std::mem::replace(old, Tree::Null), value),
                    None => members.push((key, value)),
                }
            }
            Tree::Object(members)
        }
        (_, source) => source,
    }
}

/// Replaces `${VAR}` in every string; a variable without a value is a trouble and stays as it is written.
pub(super) fn substitute(
    tree: Tree,
    file: &Path,
    env: &dyn Fn(&str) -> Option<String>,
    troubles: &mut Vec<ConfigError>,
) -> Tree {
    let own = configured_env(&tree);
    let look_up = |name: &str| {
        let outer = env(name).filter(|value| !value.trim().is_empty());
        outer.or_else(|| own.get(name).cloned())
    };
    let mut missing = |name: &str, at: &str| {
        let reason = format!("the variable {name} is not set");
        troubles.push(ConfigError { setting: Some(at.to_owned()), ..*trouble(file, &reason) });
    };
    replaced(tree, "", &look_up, &mut missing)
}

/// What `env.vars` and the strings of `env` give to the substitution; they never override the environment.
fn configured_env(tree: &Tree) -> HashMap<String, String> {
    let Some(env) = tree.get("env") else { return HashMap::new() };
    let vars = env.get("vars").and_then(Tree::object).unwrap_or_default().iter();
    let direct =
        env.object().unwrap_or_default().iter().filter(|(key, _)| key != "vars" && key != "shellEnv");
    vars.chain(direct)
        .filter_map(|(key, value)| Some((key.clone(), value.text()?.to_owned())))
        .filter(|(_, value)| !value.trim().is_empty() && !value.contains("${"))
        .collect()
}

fn replaced(
    tree: Tree,
    at: &str,
    look_up: &dyn Fn(&str) -> Option<String>,
    missing: &mut dyn FnMut(&str, &str),
) -> Tree {
    match tree {
        Tree::Text(text) => Tree::Text(filled(&text, look_up, &mut |name| missing(name, at))),
        Tree::List(items) => {
            let items = items.into_iter().enumerate();
            Tree::List(
                items.map(|(i, t)| replaced(t, &below(at, &i.to_string()), look_up, missing)).collect(),
            )
        }
        Tree::Object(members) => {
            let members = members.into_iter();
            let fill = |(key, value): (String, Tree)| {
                let value = replaced(value, &below(at, &key), look_up, missing);
                (key, value)
            };
            Tree::Object(members.map(fill).collect())
        }
        other => other,
    }
}

/// Fills one string: `$${VAR}` stays as `${VAR}`, and what is no upper-case name is no variable.
fn filled(text: &str, look_up: &dyn Fn(&str) -> Option<String>, missing: &mut dyn FnMut(&str)) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find('$') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let escaped = from.strip_prefix('$').and_then(variable);
        let plain = variable(from);
        rest = match (escaped, plain) {
            (Some((name, after)), _) => {
                out.push_str(&format!("${{{name}}}"));
                after
            }
            (None, Some((name, after))) => {
                let value = look_up(name).unwrap_or_else(|| {
                    missing(name);
                    format!("${{{name}}}")
                });
                out.push_str(&value);
                after
            }
            (None, None) => {
                out.push('$');
                from.get(1..).unwrap_or_default()
            }
        };
    }
    out + rest
}

/// Splits `${NAME}` off the front.
fn variable(text: &str) -> Option<(&str, &str)> {
    let (name, after) = text.strip_prefix("${")?.split_once('}')?;
    let legal = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let named =
        !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(legal);
    named.then_some((name, after))
}

fn below(at: &str, key: &str) -> String {
    if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") }
}
