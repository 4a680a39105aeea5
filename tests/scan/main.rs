//! The scanner, the salvager and the files below them, as a user of the library sees them.

#![allow(clippy::unwrap_used)]

#[path = "../support/agreement.rs"]
mod agreement;
#[path = "../support/blocks.rs"]
mod blocks;
#[path = "../support/damage.rs"]
mod damage;
#[path = "../support/damages.rs"]
mod damages;
#[path = "../support/node.rs"]
mod node;
#[path = "../support/random_store.rs"]
mod random_store;
#[path = "../support/recorded.rs"]
mod recorded;
#[path = "../support/scanners.rs"]
mod scanners;

mod oracle;
mod salvage;
mod source;
mod vectors;
