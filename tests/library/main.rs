//! Rooms of the library that work together, without the command line.

#![allow(clippy::unwrap_used)]

#[path = "../generate/lib.rs"]
mod generate;
#[path = "../support/node.rs"]
mod node;
#[path = "../support/samples.rs"]
mod samples;

mod evidence;
mod generator;
mod rebuild;
mod recover;
mod rules;
