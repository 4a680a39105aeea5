//! What a run says: the values of the report, and one file per way of saying them.

pub mod model;
