//! Parse, run, exit code; nothing else.

use std::process::ExitCode;

use clap::Parser;
use sessions_doctor::cli::args::Cli;
use sessions_doctor::cli::request::Request;
use sessions_doctor::commands;
use sessions_doctor::exit::Exit;
use sessions_doctor::logging;
use sessions_doctor::report::escape::Shown;

fn main() -> ExitCode {
    let request = match Request::read(Cli::parse()) {
        Ok(request) => request,
        Err(error) => {
            eprintln!("sessions-doctor: {}", Shown::new(&error.to_string()));
            return Exit::Usage.into();
        }
    };
    logging::init(request.output.quiet, request.output.verbose);
    match commands::run(&request) {
        Ok(exit) => exit.into(),
        Err(error) => {
            eprintln!("sessions-doctor: {}", Shown::new(&format!("{error:#}")));
            Exit::Io.into()
        }
    }
}
