//! Programs that a part runs, and how a part fails.
//!
//! A program inherits the output and gets no input, so that nothing can wait for a terminal.

use std::ffi::OsStr;
use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// A part that failed: what to read, and what to run to see it again.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The name of the part.
    pub(crate) part: &'static str,
    /// What is wrong, one complaint a line; empty where the output above says it.
    pub(crate) why: String,
    /// The command that runs this part alone.
    pub(crate) alone: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.why.is_empty() {
            writeln!(f, "{}", self.why)?;
        }
        write!(f, "xtask: FAILED: {}\nxtask: to run it alone: {}", self.part, self.alone)
    }
}

/// Says which part begins.
pub(crate) fn heading(part: &str) {
    println!("\n== {part}");
}

/// A program that is about to run, with the text under which its failure is reported.
pub(crate) struct Program {
    command: Command,
    shown: String,
}

impl Program {
    /// `program` with the root of the repository as its working directory.
    pub(crate) fn new(program: impl AsRef<OsStr>, directory: &Path) -> Self {
        let shown = program.as_ref().display().to_string();
        let mut command = Command::new(program);
        command.current_dir(directory).stdin(Stdio::null());
        Self { command, shown }
    }

    /// Adds arguments, written as on a command line; none may contain a blank.
    pub(crate) fn args(mut self, arguments: &str) -> Self {
        for argument in arguments.split_whitespace() {
            self = self.arg(argument);
        }
        self
    }

    /// Adds one argument.
    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.shown.push(' ');
        self.shown.push_str(&argument.as_ref().display().to_string());
        self.command.arg(argument);
        self
    }

    /// Sets an environment variable.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.shown = format!("{name}={} {}", value.as_ref().display(), self.shown);
        self.command.env(name, value);
        self
    }

    /// Runs it as `part`; succeeds when it does.
    pub(crate) fn run(self, part: &'static str) -> Result<(), Failure> {
        self.run_to(part, &[0])
    }

    /// As [`Program::run`]; succeeds when it ends with one of these codes.
    pub(crate) fn run_to(mut self, part: &'static str, codes: &[i32]) -> Result<(), Failure> {
        println!("$ {}", self.shown);
        let why = match self.command.status() {
            Ok(status) if status.code().is_some_and(|code| codes.contains(&code)) => return Ok(()),
            Ok(status) => format!("`{}` ended with {status}", self.shown),
            Err(error) => format!("`{}` could not be started: {error}", self.shown),
        };
        Err(Failure { part, why, alone: self.shown })
    }

    /// As [`Program::run`]; what it says on its standard error, which is shown too.
    pub(crate) fn run_and_listen(mut self, part: &'static str) -> Result<String, Failure> {
        println!("$ {}", self.shown);
        let (mut said, mut why) = (String::new(), None);
        match self.command.stderr(Stdio::piped()).spawn() {
            Err(error) => why = Some(format!("`{}` could not be started: {error}", self.shown)),
            Ok(mut child) => {
                let lines = child.stderr.take().map(|stderr| BufReader::new(stderr).split(b'\n'));
                for line in lines.into_iter().flatten().map_while(Result::ok) {
                    let line = String::from_utf8_lossy(&line);
                    eprintln!("{line}");
                    said.push_str(&line);
                    said.push('\n');
                }
                match child.wait() {
                    Ok(status) if status.success() => {}
                    Ok(status) => why = Some(format!("`{}` ended with {status}", self.shown)),
                    Err(error) => why = Some(format!("`{}` was lost: {error}", self.shown)),
                }
            }
        }
        match why {
            None => Ok(said),
            Some(why) => Err(Failure { part, why, alone: self.shown }),
        }
    }

    /// What it prints, trimmed; `None` when it cannot be started or fails.
    pub(crate) fn output(mut self) -> Option<String> {
        let output = self.command.stderr(Stdio::null()).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    }
}
