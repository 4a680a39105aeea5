//! `hook`: prints, writes or removes the units by which systemd runs `guard` before the gateway starts, and prunes by a
//! timer.
//!
//! It never calls systemctl; what to type is said. The undo of `--install` is `--uninstall`: a file that anybody else
//! wrote or edited is neither replaced nor removed.

mod files;
mod say;
mod site;

use std::path::Path;

use self::files::{Deed, Row};
use self::site::Site;
use super::speak;
use crate::cli::args::HookArgs;
use crate::diagnose::run::Edge;
use crate::exit::Exit;
use crate::report::model::{Finding, Severity};
use crate::tell::next;

/// Does one of the three.
pub fn run(edge: &Edge<'_>, wanted: &HookArgs) -> anyhow::Result<Exit> {
    let site = match site::look(edge, wanted) {
        Ok(site) => site,
        Err(site::Unfit::Usage(why)) => return speak::end(edge, Exit::Usage, "hook-refused", &why),
        Err(site::Unfit::Refused(why)) => return speak::end(edge, Exit::Refused, "hook-refused", &why),
        Err(site::Unfit::Missing(why)) => return speak::end(edge, Exit::Io, "look-failed", &why),
    };
    match (wanted.install, wanted.uninstall) {
        (true, _) => install(edge, &site),
        (_, true) => uninstall(edge, &site),
        _ => print(edge, wanted, &site),
    }
}

fn print(edge: &Edge<'_>, wanted: &HookArgs, site: &Site) -> anyhow::Result<Exit> {
    let rows = files::plan(site);
    let mut words = vec!["hook", "--install"];
    words.extend(wanted.user.then_some("--user"));
    words.extend(wanted.system.then_some("--system"));
    let file = wanted.metrics.as_ref().map(|file| file.display().to_string());
    words.extend(file.iter().flat_map(|file| ["--metrics", file]));
    let steps = vec![format!("{}   (writes these files)", next::command(edge.request, &words, false))];
    let mut findings = site.notes.clone();
    findings.extend(refusals(&rows, Severity::Warning));
    let warned = findings.iter().any(|finding| finding.severity > Severity::Info);
    let exit = if warned { Exit::Findings } else { Exit::Healthy };
    say::texts(edge, site, &say::Told { rows, findings, steps, exit, applied: false })
}

fn install(edge: &Edge<'_>, site: &Site) -> anyhow::Result<Exit> {
    let mut rows = files::plan(site);
    let mut findings = site.notes.clone();
    findings.extend(refusals(&rows, Severity::Error));
    let refused = rows.iter().any(|row| matches!(row.deed, Deed::Refuse(_)));
    let exit = if refused {
        rows.iter_mut().for_each(Row::leave);
        Exit::Refused
    } else {
        settle(files::write(edge, site, &mut rows), &mut findings)
    };
    let steps = if exit == Exit::Healthy { site.steps_after_install(edge) } else { Vec::new() };
    say::rows(edge, &say::Told { rows, findings, steps, exit, applied: true })
}

fn uninstall(edge: &Edge<'_>, site: &Site) -> anyhow::Result<Exit> {
    let mut rows = files::plan_removal(site);
    let mut findings = refusals(&rows, Severity::Error);
    let refused = if findings.is_empty() { Exit::Healthy } else { Exit::Refused };
    let exit = settle(files::remove(edge, &mut rows), &mut findings).worst(refused);
    let steps = site.steps_after_removal(edge, &rows);
    say::rows(edge, &say::Told { rows, findings, steps, exit, applied: true })
}

fn refusals(rows: &[Row], severity: Severity) -> Vec<Finding> {
    let refusal = |row: &Row| match row.deed {
        Deed::Refuse(why) => Some(note_finding("hook-refused", severity, why, &row.path, site::BY_HAND)),
        _ => None,
    };
    rows.iter().filter_map(refusal).collect()
}

fn settle(done: Result<(), crate::apply::DiskError>, findings: &mut Vec<Finding>) -> Exit {
    let Err(error) = done else { return Exit::Healthy };
    let hint = "every file is as it was before or complete; run the same command again";
    findings.push(note_finding("look-failed", Severity::Error, &error.to_string(), &error.path, hint));
    Exit::Io
}

/// Something to say of a file.
fn note_finding(
    check_id: &'static str,
    severity: Severity,
    message: &str,
    path: &Path,
    hint: &str,
) -> Finding {
    Finding {
        check_id,
        severity,
        message: message.to_owned(),
        path: Some(path.display().to_string()),
        count: None,
        fix_hint: Some(hint.to_owned()),
    }
}
