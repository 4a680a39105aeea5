//! What `validate` says: a row for each file, its problems one at a time, and one file for each way of saying them.

pub mod human;
pub mod json;
pub mod model;
