//! What the world says: finds stores and reads what can be held against their entries.
//!
//! What you may touch here: files, for reading only, and the values of `host`. The formats are read by
//! `openclaw`; what comes out is [`crate::model::evidence`], keyed the way that rules ask. Each reading says
//! how it went, and what could not be read protects. What SQL there is stands in `database`.

pub mod conversations;
pub mod copies;
pub mod database;
pub mod discover;
pub mod era;
pub mod gateway;
pub mod jobs;
pub mod marks;
pub mod migration;
pub mod named;
pub mod outside;
pub mod registry;
pub mod runs;
pub mod sessions;
