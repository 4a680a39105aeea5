//! Which command lines are a gateway's.
//!
//! Three shapes are known. A gateway that is up has overwritten its arguments with a title, `openclaw-gateway` and
//! blanks. Its launcher still shows them: `node <dir>/dist/index.js gateway --port N`. A binary of that name may be
//! started by hand. Where a shape is not clear it counts as a gateway, since that only ever protects.

use crate::host::Process;

/// Names that the product has had.
const PRODUCTS: [&str; 3] = ["openclaw", "clawdbot", "moltbot"];

/// Programs that run a script given as an argument.
const RUNTIMES: [&str; 8] = ["node", "nodejs", "bun", "deno", "tsx", "node24", "node22", "node20"];

/// Words after `gateway` that ask something of a gateway or of its service, and are none themselves. `run` and
/// `start` are not among them: they are one, or make one.
const ERRANDS: [&str; 17] = [
    "status",
    "stop",
    "restart",
    "install",
    "uninstall",
    "call",
    "health",
    "probe",
    "discover",
    "logs",
    "usage-cost",
    "stability",
    "diagnostics",
    "help",
    "--help",
    "-h",
    "--version",
];

/// Whether a process looks like a gateway.
pub fn is_gateway(process: &Process) -> bool {
    is_titled(process) || launches_gateway(&process.args)
}

/// Whether the process has the title of a gateway, so that its arguments are lost.
pub(super) fn is_titled(process: &Process) -> bool {
    let named = process.args.first().and_then(|first| first.split_whitespace().next()).map(base_name);
    PRODUCTS.iter().any(|product| {
        let title = format!("{product}-gateway");
        let short: String = title.chars().take(15).collect();
        named == Some(title.as_str()) || process.name == short
    })
}

/// Whether the arguments start a gateway.
pub(super) fn launches_gateway(args: &[String]) -> bool {
    let Some(at) = args.iter().skip(1).position(|arg| arg == "gateway").map(|at| at + 1) else {
        return false;
    };
    let errand = args.get(at + 1).is_some_and(|next| ERRANDS.contains(&next.as_str()));
    !errand && args.get(..at).is_some_and(|before| script(before).is_some())
}

/// The argument that names OpenClaw's program: the program itself, or the script that a runtime is given.
pub(super) fn script(args: &[String]) -> Option<&str> {
    let (program, rest) = args.split_first()?;
    if is_product(program) && !RUNTIMES.contains(&base_name(program)) {
        return Some(program);
    }
    let scripts = rest.iter().take_while(|arg| *arg != "gateway").map(String::as_str);
    let mut scripts = scripts.filter(|arg| !arg.starts_with('-') && is_product(arg));
    if is_runtime(program) { scripts.next() } else { None }
}

fn is_runtime(program: &str) -> bool {
    let base = base_name(program);
    RUNTIMES.contains(&base) || base.starts_with("node")
}

/// The profile that arguments before or after `gateway` choose; `--dev` is the profile `dev`.
pub(super) fn profile(args: &[String]) -> Option<&str> {
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--profile" => return args.next().map(String::as_str),
            "--dev" => return Some("dev"),
            other => {
                if let Some(name) = other.strip_prefix("--profile=") {
                    return Some(name);
                }
            }
        }
    }
    None
}

fn is_product(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    PRODUCTS.iter().any(|product| path.contains(product))
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(line: &str) -> Process {
        Process {
            args: line.split('|').map(str::to_owned).collect(),
            name: "node".into(),
            ..Process::default()
        }
    }

    #[test]
    fn what_is_a_gateway() {
        for yes in [
            "openclaw-gateway",
            "openclaw-gateway      ",
            "/opt/bin/openclaw-gateway|--port|1",
            "moltbot-gateway",
            "clawdbot-gateway",
            "/usr/bin/node|/usr/lib/node_modules/openclaw/dist/index.js|gateway|--port|18789",
            "node|--max-old-space-size=4096|/x/openclaw/openclaw.mjs|--profile|p|gateway|run",
            "/usr/local/bin/openclaw|gateway",
            "openclaw|gateway|start",
            "openclaw|gateway|--verbose",
            "/opt/openclaw/bin/node|/opt/openclaw/dist/index.js|gateway",
            "bun|/home/u/clawdbot/dist/entry.js|gateway",
        ] {
            assert!(is_gateway(&process(yes)), "{yes}");
        }
    }

    #[test]
    fn what_is_none() {
        for no in [
            "",
            "openclaw|status",
            "openclaw|gateway|status",
            "node|/x/openclaw/dist/index.js|gateway|stop",
            "node|/x/openclaw/dist/index.js|agent|--message|gateway now",
            "grep|-r|openclaw|gateway",
            "vim|/home/u/openclaw/gateway.md",
            "node|/x/other/index.js|gateway",
            "sessions-doctor|--gateway|stopped",
        ] {
            assert!(!is_gateway(&process(no)), "{no}");
        }
    }

    #[test]
    fn a_short_name_is_enough() {
        let short = Process { name: "openclaw-gatewa".into(), ..Process::default() };
        assert!(is_gateway(&short));
    }

    #[test]
    fn profiles_and_scripts() {
        let args = |line: &str| process(line).args;
        assert_eq!(profile(&args("openclaw|--profile|a|gateway")), Some("a"));
        assert_eq!(profile(&args("openclaw|gateway|--profile=b")), Some("b"));
        assert_eq!(profile(&args("openclaw|--dev|gateway")), Some("dev"));
        assert_eq!(profile(&args("openclaw|gateway")), None);
        assert_eq!(
            script(&args("/opt/openclaw/bin/node|/o/openclaw/d.js|gateway")),
            Some("/o/openclaw/d.js")
        );
    }
}
