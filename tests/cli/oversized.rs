//! Prevents a store that is longer than one string of Node from passing for a sound one, and one that just fits from being called too long.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufWriter, Write};

use crate::node::{self, Node};
use crate::world::*;

/// The first size that Node refuses, in bytes: half as many of the units that a string has would fit.
const REFUSED: u64 = 536_870_888;

/// Says whether Node can make a string of a file.
const READ: &str = "try { console.log(require('fs').readFileSync(process.argv[1], 'utf8').length) } catch (error) { console.log(error.code) }";

/// A store of `bytes`, nearly all of them in one entry that nothing may take out.
fn store_of(world: &World, bytes: u64) {
    let front = store(&[entry("agent:main:main", "s-main", MINUTE, &[("label", "\"LABEL\"")])]);
    let (front, back) = front.split_once("LABEL").unwrap();
    world.put(STORE, "");
    let mut file = BufWriter::with_capacity(1 << 20, File::create(world.store()).unwrap());
    file.write_all(front.as_bytes()).unwrap();
    let mut rest = bytes - (front.len() + back.len()) as u64;
    // Four bytes each, two units each: what counts are bytes.
    let block = "😀".repeat(1 << 18).into_bytes();
    let odd = rest % 4;
    file.write_all(&b"xxx"[..odd as usize]).unwrap();
    rest -= odd;
    while rest > 0 {
        let part = rest.min(block.len() as u64);
        file.write_all(&block[..part as usize]).unwrap();
        rest -= part;
    }
    file.write_all(back.as_bytes()).unwrap();
    file.into_inner().unwrap();
}

#[test]
fn one_byte_more_than_node_reads_is_too_many() {
    let world = World::new();
    store_of(&world, REFUSED - 1);
    let path = world.store();
    let validate = |code: i32| {
        let ran = world.finish(world.bare().args(["validate", "--json", "--now", NOW_TEXT]).arg(&path));
        ran.exits(code).json()["files"][0].clone()
    };
    let check = || {
        let report = world.stopped(&["check", "--json"]).json();
        let ids: Vec<String> = report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["checkId"].as_str().unwrap().to_owned())
            .collect();
        (ids.contains(&"store-oversized".to_owned()), report["stores"][0]["openclawReads"]["outcome"].clone())
    };
    let is_node_there = Node::available();
    let node = || node::evaluate(READ, &[path.as_os_str(), OsStr::new("")]).trim().to_owned();
    let file = validate(0);
    assert_eq!(
        (file["verdict"].as_str(), file["openclawReads"]["entries"].as_u64()),
        (Some("valid"), Some(1))
    );
    assert_eq!(check(), (false, "all".into()));
    if is_node_there {
        assert!(node().parse::<u64>().is_ok_and(|units| units < REFUSED / 2 + 1_000), "{}", node());
    }

    let mut file = File::options().append(true).open(&path).unwrap();
    file.write_all(b"\n").unwrap();
    let file = validate(3);
    assert_eq!(
        (file["verdict"].as_str(), file["problems"][0]["checkId"].as_str()),
        (Some("damaged"), Some("store-oversized"))
    );
    assert_eq!(
        (file["problems"].as_array().unwrap().len(), file["openclawReads"]["entries"].as_u64()),
        (1, Some(0))
    );
    assert_eq!(check(), (true, "empty".into()));
    if is_node_there {
        assert_eq!(node(), "ERR_STRING_TOO_LONG");
    } else {
        eprintln!("skipped: Node was not asked (no `node` on this machine)");
    }
    fs::remove_file(&path).unwrap();
}
