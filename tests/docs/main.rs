//! Pages that say what is not so: the README, the help, the map of the rooms, the rules, the recipes.

#![allow(clippy::unwrap_used)]

#[path = "../support/schema.rs"]
mod schema;
#[path = "../support/source.rs"]
mod source;
#[path = "../support/world.rs"]
mod world;

mod architecture;
mod ci;
mod commands;
mod hooks;
mod pages;
