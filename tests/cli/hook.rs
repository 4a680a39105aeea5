//! Prevents a hook that systemd does not understand, that lies where systemd does not look, that shortens the gateway's own start, that
//! guards another directory than the gateway's, or that overwrites what somebody else wrote.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::systemd::{self, arguments, setting, settings, verify};
use crate::world::*;
use serde_json::Value;

/// Where a user's units lie, below the home directory.
const UNITS: &str = ".config/systemd/user";

/// The unit that OpenClaw's installer writes, with lines of one's own in its `[Service]`.
fn gateway_unit(more: &str) -> String {
    format!(
        "[Unit]\nDescription=OpenClaw Gateway\nAfter=network-online.target\nStartLimitBurst=5\nStartLimitIntervalSec=60\n\n\
         [Service]\nExecStart=/bin/true gateway --port 18789\nRestart=always\nRestartSec=5\nTimeoutStopSec=30\nTimeoutStartSec=30\n\
         SuccessExitStatus=0 143\nKillMode=control-group\n{more}\n[Install]\nWantedBy=default.target\n"
    )
}

/// A world whose gateway is a unit with that name.
fn with_unit(name: &str, more: &str) -> World {
    let world = World::new();
    let path = world.home.join(UNITS).join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, gateway_unit(more)).unwrap();
    world
}

/// The line of a unit that says where the state directory of a world is.
fn state_of(world: &World) -> String {
    format!("Environment=OPENCLAW_STATE_DIR={}\n", world.state.display())
}

fn hook(world: &World, args: &[&str]) -> Ran {
    world.finish(world.bare().arg("hook").args(args))
}

/// Paths and actions of a report.
fn rows(report: &Value) -> Vec<(PathBuf, String)> {
    let row =
        |row: &Value| (row["path"].as_str().unwrap().into(), row["action"].as_str().unwrap().to_owned());
    report["files"].as_array().unwrap().iter().map(row).collect()
}

/// The paths that a command line leads to.
fn places(world: &World, vars: &[(&str, &str)], args: &[&str]) -> Vec<PathBuf> {
    let mut command = world.bare();
    command.envs(vars.iter().copied()).args(["hook", "--json"]).args(args);
    rows(&world.finish(&mut command).exits(0).json()).into_iter().map(|(path, _)| path).collect()
}

fn drop_in(world: &World, unit: &str) -> PathBuf {
    world.home.join(UNITS).join(format!("{unit}.d/50-sessions-doctor.conf"))
}

#[test]
fn nothing_is_written_without_install_and_what_is_printed_is_what_is_written() {
    let world = with_unit("openclaw-gateway.service", "");
    let before = world.tree();
    let printed = hook(&world, &[]).exits(0);
    assert_eq!(world.tree(), before);
    let installed = hook(&world, &["--install"]).exits(0);
    for path in places(&world, &[], &[]) {
        let text = fs::read_to_string(&path).unwrap();
        assert!(printed.out.contains(&format!("# {}\n{text}\n", path.display())), "{printed}");
        assert!(installed.out.contains(&format!("created    {}\n", path.display())), "{installed}");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o644);
    }
    installed
        .says("systemctl --user daemon-reload")
        .says("systemctl --user enable --now sessions-doctor.timer")
        .says("systemctl --user reset-failed openclaw-gateway.service");
}

#[test]
fn a_second_install_touches_nothing_and_uninstall_leaves_no_trace() {
    let world = with_unit("openclaw-gateway.service", "");
    let before = world.tree();
    hook(&world, &["--install"]).exits(0);
    let installed = world.tree();
    assert_eq!(installed.len(), before.len() + 3);
    let again = hook(&world, &["--install", "--json"]).exits(0).json();
    assert!(rows(&again).iter().all(|(_, action)| action == "keep"), "{again}");
    assert_eq!(world.tree(), installed);
    // What `systemctl enable` makes of it.
    let units = world.home.join(UNITS);
    let link = units.join("timers.target.wants/sessions-doctor.timer");
    fs::create_dir(link.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(units.join("sessions-doctor.timer"), &link).unwrap();
    hook(&world, &["--uninstall"]).exits(0).says("systemctl --user stop sessions-doctor.timer");
    assert_eq!(world.tree(), before);
    assert!(!units.join("openclaw-gateway.service.d").exists());
    let nothing = hook(&world, &["--uninstall", "--json"]).exits(0).json();
    assert!(rows(&nothing).iter().all(|(_, action)| action == "none"), "{nothing}");
    assert_eq!(world.tree(), before);
}

#[test]
fn files_of_others_and_edited_files_are_neither_replaced_nor_removed() {
    let foreign = "[Service]\nExecStartPre=/home/me/strip-markers.py\n".to_owned();
    let own = |world: &World| {
        hook(world, &["--install"]).exits(0);
        let own = fs::read_to_string(drop_in(world, "openclaw-gateway.service")).unwrap();
        hook(world, &["--uninstall"]).exits(0);
        own.replace(" guard", " guard --time-budget 5s")
    };
    for edited in [false, true] {
        let world = with_unit("openclaw-gateway.service", "");
        let text = if edited { own(&world) } else { foreign.clone() };
        let path = drop_in(&world, "openclaw-gateway.service");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        let before = world.tree();
        let why = if edited { "was edited after" } else { "was not written by" };
        hook(&world, &["--install"]).exits(5).says(why);
        assert_eq!(world.tree(), before, "one file is refused, so none is written");
        hook(&world, &["--uninstall"]).exits(5).says(why);
        assert_eq!(world.tree(), before);
        hook(&world, &[]).exits(1).says(why);
    }
}

#[test]
fn a_link_or_a_directory_in_the_way_is_refused() {
    for kind in ["link", "directory", "nowhere"] {
        let world = with_unit("openclaw-gateway.service", "");
        let path = world.home.join(UNITS).join("sessions-doctor.timer");
        match kind {
            "link" => std::os::unix::fs::symlink("/dev/null", &path).unwrap(),
            "nowhere" => std::os::unix::fs::symlink("gone", &path).unwrap(),
            _ => fs::create_dir(&path).unwrap(),
        }
        let before = world.tree();
        hook(&world, &["--install"]).exits(5);
        hook(&world, &["--uninstall"]).exits(5);
        assert_eq!(world.tree(), before, "{kind}");
    }
}

#[test]
fn what_an_earlier_version_or_other_options_wrote_gives_way() {
    let world = with_unit("openclaw-gateway.service", "");
    hook(&world, &["--install"]).exits(0);
    let report = hook(&world, &["--install", "--json", "--agent", "main"]).exits(0).json();
    let actions: Vec<String> = rows(&report).into_iter().map(|(_, action)| action).collect();
    assert_eq!(actions, ["replace", "replace", "keep"]);
    let line = setting(&drop_in(&world, "openclaw-gateway.service"), "ExecStartPre");
    assert!(line.ends_with(" guard --agent main"), "{line}");
}

#[test]
fn the_files_go_where_systemd_looks() {
    let names = |places: Vec<PathBuf>, below: &Path| -> Vec<String> {
        let name = |path: &PathBuf| path.strip_prefix(below).unwrap().display().to_string();
        places.iter().map(name).collect()
    };
    let usual = [
        "openclaw-gateway.service.d/50-sessions-doctor.conf",
        "sessions-doctor.service",
        "sessions-doctor.timer",
    ];
    let world = World::new();
    let config = world.home.join(UNITS);
    assert_eq!(names(places(&world, &[], &[]), &config), usual, "no unit yet");
    // XDG_CONFIG_HOME, where it is absolute, and where no unit shows that another place is the right one.
    let xdg = world.root.join("xdg");
    let vars = [("XDG_CONFIG_HOME", xdg.to_str().unwrap())];
    assert_eq!(names(places(&world, &vars, &[]), &xdg.join("systemd/user")), usual);
    assert_eq!(names(places(&world, &[("XDG_CONFIG_HOME", "rel")], &[]), &config), usual);
    let world = with_unit("openclaw-gateway.service", "");
    assert_eq!(names(places(&world, &vars, &[]), &world.home.join(UNITS)), usual, "beside the unit");
    // A profile by option or environment, a legacy name, a name of one's own.
    for (unit, vars, args) in [
        ("openclaw-gateway-work.service", &[][..], &["--profile", "work"][..]),
        ("openclaw-gateway-work.service", &[("OPENCLAW_PROFILE", "work")], &[]),
        ("clawdbot-gateway.service", &[], &[]),
        ("moltbot-gateway-work.service", &[], &["--profile", "work"]),
        ("mine.service", &[("OPENCLAW_SYSTEMD_UNIT", "mine")], &[]),
        ("mine.service", &[("OPENCLAW_SYSTEMD_UNIT", "mine.service")], &[]),
    ] {
        let world = with_unit(unit, "");
        let suffix = match unit {
            "mine.service" => "-mine",
            unit if unit.contains("-work") => "-work",
            _ => "",
        };
        let wanted = [
            format!("{unit}.d/50-sessions-doctor.conf"),
            format!("sessions-doctor{suffix}.service"),
            format!("sessions-doctor{suffix}.timer"),
        ];
        assert_eq!(names(places(&world, vars, args), &world.home.join(UNITS)), wanted, "{vars:?} {args:?}");
    }
}

/// `hook` as a user who may write nothing but the home directory of the world: this machine's `/etc` is not for tests, whoever runs them.
fn as_nobody(world: &World, args: &[&str]) -> Ran {
    let program = world.program("sessions-doctor");
    let mut command = world.clean(program);
    command.arg("hook").args(args);
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        for dir in [&world.root, &world.home] {
            fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).unwrap();
        }
        command.uid(65_534).gid(65_534);
    }
    world.finish(&mut command)
}

#[test]
fn the_system_scope_is_for_those_who_may_write_there() {
    let world = with_unit("openclaw-gateway.service", "");
    let report = as_nobody(&world, &["--json", "--system"]).exits(0).json();
    for (path, _) in rows(&report) {
        assert!(path.starts_with("/etc/systemd/system"), "{}", path.display());
    }
    let before = tree(Path::new("/etc/systemd/system"));
    as_nobody(&world, &["--install", "--system"])
        .exits(6)
        .says("/etc/systemd/system")
        .says("ermission denied");
    assert_eq!(tree(Path::new("/etc/systemd/system")), before);
    as_nobody(&world, &["--system", "--user"]).exits(2);
    as_nobody(&world, &["--install", "--uninstall"]).exits(2);
}

#[test]
fn uninstall_finds_what_was_installed_under_an_older_name_of_the_unit() {
    let world = with_unit("clawdbot-gateway.service", "");
    hook(&world, &["--install"]).exits(0);
    let units = world.home.join(UNITS);
    fs::rename(units.join("clawdbot-gateway.service"), units.join("openclaw-gateway.service")).unwrap();
    hook(&world, &["--uninstall"]).exits(0);
    assert_eq!(world.tree().len(), 1, "the unit alone is left");
}

#[test]
fn the_start_of_the_gateway_keeps_its_time() {
    for (said, wanted) in [
        ("", Some("60")),
        ("TimeoutStartSec=300\n", Some("330")),
        ("TimeoutStartSec=2min 30s\n", Some("180")),
        ("TimeoutStartSec=infinity\n", None),
        ("TimeoutStartSec=0\n", None),
        ("TimeoutStartSec=\n", Some("120")),
    ] {
        let world = with_unit("openclaw-gateway.service", said);
        for round in 0..2 {
            hook(&world, &["--install"]).exits(0);
            let text = fs::read_to_string(drop_in(&world, "openclaw-gateway.service")).unwrap();
            let told = settings(&text, "TimeoutStartSec");
            assert_eq!(
                told.iter().map(String::as_str).collect::<Vec<_>>(),
                Vec::from_iter(wanted),
                "{said} {round}"
            );
        }
        // A drop-in of somebody else's counts, ours does not.
        let other = drop_in(&world, "openclaw-gateway.service").with_file_name("10-mine.conf");
        fs::write(other, "[Service]\nTimeoutStartSec=400\n").unwrap();
        hook(&world, &["--install"]).exits(0);
        assert_eq!(setting(&drop_in(&world, "openclaw-gateway.service"), "TimeoutStartSec"), "430");
    }
}

#[test]
fn units_pass_systemds_own_check_and_a_misspelt_key_does_not() {
    if !systemd::is_there("units_pass_systemds_own_check_and_a_misspelt_key_does_not") {
        return;
    }
    let all = ["openclaw-gateway.service", "sessions-doctor.service", "sessions-doctor.timer"];
    let world = with_unit(all[0], "Environment=\"OPENCLAW_STATE_DIR=%h/100%% sure\"\n");
    hook(&world, &["--install"]).exits(0);
    let units = world.home.join(UNITS);
    assert_eq!(verify(&units, &all), "");
    for name in ["openclaw-gateway.service.d/50-sessions-doctor.conf", all[1], all[2]] {
        let path = units.join(name);
        let good = fs::read_to_string(&path).unwrap();
        let key = if name.ends_with("timer") { "OnCalendar" } else { "TimeoutStartSec" };
        fs::write(&path, good.replace(key, "OnStartTimeuot")).unwrap();
        assert!(verify(&units, &all).contains("OnStartTimeuot"), "{name}");
        fs::write(&path, good).unwrap();
    }
    assert_eq!(verify(&units, &all), "");
}

/// Runs a command line of a unit as systemd would, with the variables of the unit.
fn as_systemd(world: &World, line: &str, vars: &[(&str, &str)]) -> Ran {
    let line = arguments(line);
    world.finish(world.clean(&line[0]).args(&line[1..]).envs(vars.iter().copied()))
}

#[test]
fn the_line_of_the_drop_in_prunes_the_state_directory_of_the_unit() {
    if World::looping().is_overshadowed() {
        let test = "the_line_of_the_drop_in_prunes_the_state_directory_of_the_unit";
        return skipped(test, "something of this machine looks like a gateway");
    }
    for below in
        ["bin/sessions-doctor", "a b/100%/sd", "it's/sd", "say \"hi\"/sd", "back\\slash/$HOME/s;d", "ü/sd"]
    {
        let world = World::looping();
        let units = world.home.join(UNITS);
        fs::create_dir_all(&units).unwrap();
        fs::write(units.join("openclaw-gateway.service"), gateway_unit(&state_of(&world))).unwrap();
        let program = world.program(below);
        world.finish(world.clean(&program).args(["hook", "--install"])).exits(0);
        let line = setting(&drop_in(&world, "openclaw-gateway.service"), "ExecStartPre");
        assert!(line.starts_with('-'), "a failure must not keep the gateway from starting: {line}");
        let state = world.state.to_str().unwrap();
        let ran = as_systemd(&world, &line, &[("OPENCLAW_STATE_DIR", state)]).exits(0);
        assert!(ran.err.contains("removed"), "{below}: {ran}");
        assert_eq!(world.runs().len(), 1, "{below}");
        if systemd::is_there("the_line_of_the_drop_in_prunes_the_state_directory_of_the_unit") {
            assert_eq!(verify(&units, &["openclaw-gateway.service", "sessions-doctor.timer"]), "", "{below}");
        }
    }
}

#[test]
fn a_directory_that_was_typed_is_the_one_that_is_guarded() {
    for below in ["plain", "a b/it's 100% \"$HOME\" \\o/;", "ü #x"] {
        let world = with_unit("openclaw-gateway.service", "");
        let state = world.root.join(below);
        fs::create_dir_all(&state).unwrap();
        fs::rename(&world.state, state.join("state")).unwrap();
        let state = state.join("state");
        let mut command = world.bare();
        command.current_dir(&state).args(["hook", "--install", "--state-dir", "."]);
        world.finish(&mut command).exits(0);
        let line = setting(&drop_in(&world, "openclaw-gateway.service"), "ExecStartPre");
        assert_eq!(arguments(&line)[1..], ["guard", "--state-dir", state.to_str().unwrap()], "{below}");
        let line = setting(&world.home.join(UNITS).join("sessions-doctor.service"), "ExecStart");
        assert_eq!(arguments(&line).last().unwrap(), state.to_str().unwrap(), "{below}");
        as_systemd(&world, &line, &[]).exits(0);
        if systemd::is_there("a_directory_that_was_typed_is_the_one_that_is_guarded") {
            let all = ["openclaw-gateway.service", "sessions-doctor.timer"];
            assert_eq!(verify(&world.home.join(UNITS), &all), "", "{below}");
        }
    }
}

#[test]
fn the_profile_is_named_only_where_the_unit_does_not_say_where_the_state_lies() {
    let words = |more: &str, vars: &[(&str, &str)], args: &[&str]| {
        let world = with_unit("openclaw-gateway-work.service", more);
        world.finish(world.bare().envs(vars.iter().copied()).args(["hook", "--install"]).args(args)).exits(0);
        arguments(&setting(&drop_in(&world, "openclaw-gateway-work.service"), "ExecStartPre"))[1..].to_vec()
    };
    let typed = ["--profile", "work"];
    assert_eq!(words("", &[], &typed), ["guard", "--profile", "work"]);
    assert_eq!(words("Environment=OPENCLAW_STATE_DIR=/srv/work\n", &[], &typed), ["guard"]);
    // The gateway of this unit does not go by the shell of whoever calls `hook`.
    let shell = [("OPENCLAW_PROFILE", "work"), ("OPENCLAW_STATE_DIR", "/tmp")];
    assert_eq!(words("", &shell, &[]), ["guard"]);
    // Without a unit there is only the shell to go by.
    let world = World::new();
    let state = world.state.to_str().unwrap();
    world.finish(world.bare().env("OPENCLAW_STATE_DIR", state).args(["hook", "--install"])).exits(0);
    let line = setting(&drop_in(&world, "openclaw-gateway.service"), "ExecStartPre");
    assert_eq!(arguments(&line)[1..], ["guard", "--state-dir", state]);
}

#[test]
fn the_timer_finds_what_the_gateway_finds() {
    let world = World::looping();
    if world.is_overshadowed() {
        return skipped(
            "the_timer_finds_what_the_gateway_finds",
            "something of this machine looks like a gateway",
        );
    }
    let units = world.home.join(UNITS);
    fs::create_dir_all(&units).unwrap();
    let more = format!(
        "{}Environment=HOME=/h \"OPENCLAW_PROFILE=w\"\nEnvironment=SECRET_TOKEN=x\nUser=claw\nGroup=g\n",
        state_of(&world)
    );
    fs::write(units.join("openclaw-gateway.service"), gateway_unit(&more)).unwrap();
    hook(&world, &["--install"]).exits(0);
    let text = fs::read_to_string(units.join("sessions-doctor.service")).unwrap();
    let state = world.state.to_str().unwrap();
    let variables =
        ["HOME=/h".to_owned(), "OPENCLAW_PROFILE=w".to_owned(), format!("OPENCLAW_STATE_DIR={state}")];
    assert_eq!(settings(&text, "Environment"), variables);
    assert_eq!(
        (settings(&text, "User"), settings(&text, "Group")),
        (vec!["claw".to_owned()], vec!["g".to_owned()])
    );
    // Nobody can tell that no gateway runs behind an entry of another boot, but this one is stopped: the timer may write.
    let line = &settings(&text, "ExecStart")[0];
    as_systemd(&world, line, &[("OPENCLAW_STATE_DIR", state)]).exits(0);
    assert_eq!(world.runs().len(), 1);
    // Beside a gateway that may take no lock it reports, with a code that the unit counts as a success.
    let world = World::looping();
    let _gateway = Alive::gateway(&world);
    let before = world.bytes();
    let ran = as_systemd(&world, line, &[("OPENCLAW_STATE_DIR", world.state.to_str().unwrap())]);
    let codes = settings(&text, "SuccessExitStatus").concat();
    assert!(codes.split(' ').any(|code| code == ran.code.to_string()), "{ran}");
    assert!(ran.code == 4 && ran.said().contains("the gateway runs"), "{ran}");
    assert_eq!(world.bytes(), before);
}

#[test]
fn metrics_are_written_where_they_are_wanted() {
    let world = World::looping();
    let units = world.home.join(UNITS);
    fs::create_dir_all(&units).unwrap();
    fs::write(units.join("openclaw-gateway.service"), gateway_unit(&state_of(&world))).unwrap();
    let before = world.tree();
    let prom = world.root.join("a b/100%.prom");
    hook(&world, &["--install", "--metrics", "a b/100%.prom"]).exits(6).says("in a directory that exists");
    fs::create_dir(prom.parent().unwrap()).unwrap();
    hook(&world, &["--install", "--metrics", "a b"]).exits(6);
    hook(&world, &["--install", "--metrics", "a b/100%.prom"])
        .exits(0)
        .says("systemctl --user enable --now sessions-doctor.metrics.timer");
    let service = units.join("sessions-doctor.metrics.service");
    let line = setting(&service, "ExecStart");
    let state = world.state.to_str().unwrap();
    assert_eq!(setting(&service, "Environment"), format!("OPENCLAW_STATE_DIR={state}"));
    let ran = as_systemd(&world, &line, &[("OPENCLAW_STATE_DIR", state)]).exits(1);
    assert!(ran.err.is_empty(), "{ran}");
    let text = fs::read_to_string(&prom).unwrap();
    assert!(text.contains("\nsessions_doctor_store_size_bytes{"), "{text}");
    if systemd::is_there("metrics_are_written_where_they_are_wanted") {
        let all =
            ["sessions-doctor.metrics.service", "sessions-doctor.metrics.timer", "sessions-doctor.timer"];
        assert_eq!(verify(&units, &all), "");
    }
    fs::remove_dir_all(prom.parent().unwrap()).unwrap();
    hook(&world, &["--uninstall"]).exits(0).says("systemctl --user stop sessions-doctor.metrics.timer");
    assert_eq!(world.tree(), before);
}

#[test]
fn what_no_unit_can_hold_is_refused_and_what_is_missing_is_said() {
    let world = with_unit("openclaw-gateway.service", "");
    let before = world.tree();
    let strange = world.root.join("line\nExecStart=rm");
    fs::create_dir(&strange).unwrap();
    hook(&world, &["--install", "--state-dir", strange.to_str().unwrap()]).exits(2).says("control character");
    fs::remove_dir(strange).unwrap();
    hook(&world, &["--install", "--state-dir", "gone"]).exits(6).says("gone");
    hook(&world, &["--uninstall", "--state-dir", "gone"]).exits(0);
    hook(&world, &["--install", "--now", NOW_TEXT]).exits(2);
    hook(&world, &["--install", "--gateway", "stopped"]).exits(2);
    assert_eq!(world.tree(), before);
    let agents = world.home.join("Library/LaunchAgents/ai.openclaw.gateway.plist");
    fs::remove_dir_all(world.home.join(".config")).unwrap();
    fs::create_dir_all(agents.parent().unwrap()).unwrap();
    fs::write(agents, "<plist/>").unwrap();
    hook(&world, &["--install"]).exits(5).says("docs/hooks.md");
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let world = World::new();
    fs::write(world.home.join(".config"), "a file").unwrap();
    let before = world.tree();
    let ran = hook(&world, &["--install"]).exits(6);
    assert!(ran.said().contains(".config"), "{ran}");
    let report = hook(&world, &["--install", "--json"]).exits(6).json();
    assert_eq!(report["complete"], false);
    assert!(rows(&report).iter().all(|(_, action)| action == "none"), "{report}");
    assert_eq!(world.tree(), before);
}

#[test]
fn units_of_a_mistaken_place_are_warned_of() {
    let world = with_unit("openclaw-gateway.service", "Environment=OPENCLAW_STATE_DIR=/srv/other\n");
    let ran = hook(&world, &["--state-dir", world.state.to_str().unwrap()]).exits(1);
    assert!(ran.said().contains("OPENCLAW_STATE_DIR=/srv/other"), "{ran}");
}

#[test]
fn a_redacted_page_names_nobody_not_even_by_a_hash() {
    let world = with_unit("openclaw-gateway.service", "Environment=OPENCLAW_STATE_DIR=/home/jane-doe/claw\n");
    let ran = hook(&world, &["--redact"]).exits(0);
    assert!(ran.out.contains("ExecStartPre=") && ran.out.contains("OnCalendar="), "{ran}");
    assert!(!ran.out.contains("jane-doe") && !ran.out.contains("Written by"), "{ran}");
}

#[test]
fn the_page_is_closed_early_without_a_word() {
    let world = World::new();
    let line = format!("{} hook | head -n 1", env!("CARGO_BIN_EXE_sessions-doctor"));
    let ran =
        Ran::new(&Command::new("sh").args(["-c", &line]).env("HOME", &world.home).output().unwrap()).exits(0);
    assert!(ran.out.starts_with("# /") && ran.err.is_empty(), "{ran}");
}
