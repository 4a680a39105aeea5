//! Sessions that live in databases: judged like those of a store, and never touched.

use std::path::{Path, PathBuf};

use super::read::{self, ReadOptions};
use super::{Condition, Diagnosed, Judged};
use crate::evidence::database::spool;
use crate::evidence::discover::Situation;
use crate::evidence::sessions::SessionsDir;
use crate::model::evidence::Evidence;
use crate::model::store::StoreFile;
use crate::plan::decision::{Held, Summary};
use crate::report::model::{EvidenceItem, EvidenceState};

use super::recovery::loss::Loss;

/// The sessions of every database of the situation that holds some, and how reading them went.
pub fn open(
    situation: &Situation,
    options: &ReadOptions<'_>,
    evidence: &Evidence,
    wanted: bool,
) -> (Vec<Diagnosed>, Vec<EvidenceItem>) {
    let one = |path: &PathBuf| {
        let (file, condition) = of_database(situation, path, options, evidence, wanted);
        let state = match &condition {
            Condition::Whole(_) => EvidenceState::Read,
            _ => EvidenceState::Unreadable,
        };
        let item = EvidenceItem { kind: "sqlite", path: path.display().to_string(), state };
        let held = Some("its sessions live in this database".to_owned());
        (Diagnosed { file, condition, loss: Loss::default(), held }, item)
    };
    situation.session_databases.iter().map(one).unzip()
}

fn of_database(
    situation: &Situation,
    path: &Path,
    options: &ReadOptions<'_>,
    evidence: &Evidence,
    wanted: bool,
) -> (StoreFile, Condition) {
    let agent = path.ancestors().nth(2).and_then(Path::file_name);
    let mut file = StoreFile {
        path: path.to_owned(),
        real: path.to_owned(),
        agents: agent.map(|agent| agent.to_string_lossy().into_owned()).into_iter().collect(),
        exists: true,
        named: false,
        acted_on: wanted,
        outside: false,
        in_database: true,
    };
    let failed = |error: String| Condition::Failed(std::io::Error::other(error));
    let spool = match spool::sessions(path, &situation.state_dir) {
        Ok(Some(spool)) => spool,
        Ok(None) => return (file, Condition::Busy("it is no database of sessions any more".to_owned())),
        Err(error) => return (file, failed(error.to_string())),
    };
    file.real.clone_from(&spool.path);
    let condition = match read::read(&file, options) {
        Ok(reading) => {
            Condition::Whole(Box::new(Judged::new(reading, evidence, SessionsDir::elsewhere(path), false)))
        }
        Err(failure) => failure.into(),
    };
    // The file is open, and its name goes away with the spool.
    file.real = path.to_owned();
    (file, condition)
}

/// Whatever a rule asks for: nothing is done about a row.
pub fn hold(stores: &mut [Diagnosed]) {
    for store in stores.iter_mut().filter(|store| store.file.in_database) {
        let Condition::Whole(judged) = &mut store.condition else { continue };
        judged.plan.brakes.clear();
        judged
            .plan
            .decisions
            .iter_mut()
            .filter(|one| one.is_change())
            .for_each(|one| one.hold(Held::Database));
        judged.plan.summary = Summary::of(&judged.reading.scan.entries, &judged.plan.decisions);
    }
}
