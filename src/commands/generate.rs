//! `generate`: pages of the manual, completions of shells and JSON Schemas, on stdout.
//!
//! All of it is made from what the program itself uses: its own command line, the types of its report, the tables of `validate`.
//! No store is looked for.

use std::io;

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, roman};

use crate::cli::args::{Cli, Generate, SchemaArg};
use crate::diagnose::run::Edge;
use crate::exit::Exit;
use crate::report::{self, explain};
use crate::rules;

/// Prints what is asked for.
pub fn run(edge: &Edge<'_>, wanted: &Generate) -> anyhow::Result<Exit> {
    let bytes = match wanted {
        Generate::Man { verb } => page(verb)?,
        Generate::Completions { shell } => completions(*shell)?,
        Generate::Schema { what } => {
            let document = match what {
                SchemaArg::Report => report::schema::document(),
                SchemaArg::Store => rules::schema::document(),
            };
            let mut text = serde_json::to_vec_pretty(&document)?;
            text.push(b'\n');
            text
        }
    };
    let mut out = edge.out.borrow_mut();
    match out.write_all(&bytes).and_then(|()| out.flush()) {
        // Whoever closed the pipe has seen enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(Exit::Healthy),
    }
}

/// What the program is called.
const NAME: &str = env!("CARGO_PKG_NAME");
/// Which it is.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The script of a shell.
fn completions(shell: Shell) -> anyhow::Result<Vec<u8>> {
    // Into memory, for the generators panic where a write fails.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), NAME, &mut script);
    if shell == Shell::Bash {
        // Of a program with a hyphen in its name, the labels of verbs are spelled in two ways, and nothing behind a verb would be
        // completed (clap-rs/clap#6421). Where that is mended this changes nothing.
        let [odd, good] = ["__subcmd__", "__"].map(|between| NAME.replace('-', between));
        script = String::from_utf8(script)?.replace(&odd, &good).into_bytes();
    }
    Ok(script)
}

/// The page of a command: what its help says, and what every command exits with.
fn page(verb: &[String]) -> io::Result<Vec<u8>> {
    let mut command = Cli::command_at(verb).unwrap_or_else(Cli::command);
    let title = command.get_display_name().unwrap_or(NAME).to_uppercase();
    let usage = command.render_usage().to_string();
    let command = command.override_usage(usage.trim_start_matches("Usage: ").to_owned());
    let notes = command.get_after_help().map(ToString::to_string);
    let has_verbs = command.has_subcommands();
    let man = Man::new(command);
    let mut page = Vec::new();
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if has_verbs {
        man.render_subcommands_section(&mut page)?;
    }
    let mut rest = Roff::new();
    exit_status(&mut rest);
    if let Some(notes) = notes {
        rest.control("SH", ["NOTES"]);
        rest.text(words(&notes));
    }
    if !verb.is_empty() {
        rest.control("SH", ["SEE ALSO"]);
        rest.text([bold(NAME), roman("(1)")]);
    }
    rest.to_writer(&mut page)?;
    // `Man` would leave an empty date out, and then what stands behind it moves up.
    let title = format!(".TH \"{title}\" \"1\" \"\" \"{NAME} {VERSION}\" \"User Commands\"\n");
    Ok([title.into_bytes(), page].concat())
}

/// The first paragraph on each exit code.
fn exit_status(roff: &mut Roff) {
    roff.control("SH", ["EXIT STATUS"]);
    for code in explain::exit_codes() {
        let meaning = explain::exit_code_section(code).and_then(|section| section.split("\n\n").nth(1));
        roff.control("TP", []);
        roff.text([bold(code)]);
        roff.text(words(meaning.unwrap_or_default()));
    }
}

/// A text in which backticks stand around what is typed.
fn words(text: &str) -> Vec<Inline> {
    let part = |(at, part): (usize, &str)| if at % 2 == 1 { bold(part) } else { roman(part) };
    text.split('`').enumerate().map(part).collect()
}
