//! A flag that a document gives to one of our programs is a flag that the program has.
//!
//! The flags are read from the sources: every field under `#[arg(.. long ..)]`, by the name given there or by its own in
//! kebab case, and clap's own `--help` and `--version`. All subcommands of a program count as one.
//!
//! A command is looked at when the program is its first word, after assignments, a prompt and words such as `sudo`; it ends
//! at `|`, `;`, `&&` or `||`. `cargo run` counts as the program of its `-p`, from the lone `--` on. A span of code that
//! begins with `--` is a flag of any program that another span on its line begins with.

use std::collections::BTreeSet;

use crate::markdown;
use crate::repository::TextFile;
use crate::rust_source::RustSource;

/// A program and the sources that declare its flags.
const PROGRAMS: [(&str, &str); 3] =
    [("keyreeve", "crates/server/src/"), ("loadgen", "crates/loadgen/src/"), ("xtask", "crates/xtask/src/")];

const WRAPPERS: [&str; 8] = ["$", "#", "sudo", "env", "exec", "nice", "nohup", "time"];

/// The flags of each program.
pub(crate) struct Flags(Vec<(&'static str, BTreeSet<String>)>);

impl Flags {
    pub(crate) fn read(files: &[TextFile]) -> Self {
        let of = |directory: &str| {
            let sources = files.iter().filter(|f| f.path.starts_with(directory) && f.path.ends_with(".rs"));
            let declared = sources.flat_map(|file| declared(&file.text));
            declared.chain(["help".to_owned(), "version".to_owned()]).collect()
        };
        Self(PROGRAMS.iter().map(|(program, directory)| (*program, of(directory))).collect())
    }

    /// The flags that a document gives to a program that does not have them.
    pub(crate) fn complaints(&self, document: &TextFile) -> Vec<String> {
        let mut complaints = Vec::new();
        for line in markdown::lines(&document.text) {
            let code = if line.fenced { vec![&*line.text] } else { markdown::spans(&line.text) };
            let commands: Vec<_> = code.iter().flat_map(|code| commands(code)).collect();
            let named: Vec<_> = commands.iter().filter_map(|command| command.program).collect();
            for command in &commands {
                let programs = match command.program {
                    Some(program) => vec![program],
                    None if command.is_flag && !named.is_empty() => named.clone(),
                    None => continue,
                };
                let unknown = command.flags.iter().filter(|flag| !self.any_has(&programs, flag));
                complaints.extend(unknown.map(|flag| {
                    format!("{}:{}: {} has no `--{flag}`", document.path, line.number, programs.join(" and "))
                }));
            }
        }
        complaints
    }

    fn any_has(&self, programs: &[&str], flag: &str) -> bool {
        self.0.iter().any(|(program, flags)| programs.contains(program) && flags.contains(flag))
    }
}

/// The long flags that clap derives from a source file.
fn declared(text: &str) -> Vec<String> {
    let source = RustSource::split(text);
    let mut flags = Vec::new();
    for range in source.attributes("#[arg(") {
        let (Some(code), Some(written)) = (source.code.get(range.clone()), text.get(range.clone())) else {
            continue;
        };
        let Some(long) =
            arguments(code, written).into_iter().find_map(|(name, value)| (name == "long").then_some(value))
        else {
            continue;
        };
        let named = long.split('"').nth(1).map(str::to_owned);
        let field = || source.code.get(range.end..).and_then(field_after);
        flags.extend(named.or_else(field));
    }
    flags
}

/// The arguments of an attribute: `code` says where one ends, `written` what it says.
fn arguments<'t>(code: &'t str, written: &'t str) -> Vec<(&'t str, &'t str)> {
    let mut depth = 0usize;
    let mut ends: Vec<usize> = Vec::new();
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => ends.push(at),
            _ => {}
        }
    }
    ends.push(code.len());
    let starts = std::iter::once(0).chain(ends.iter().map(|end| end + 1));
    let pieces = starts.zip(&ends).filter_map(|(start, end)| written.get(start..*end));
    pieces
        .map(|piece| piece.split_once('=').map_or((piece.trim(), ""), |(name, value)| (name.trim(), value)))
        .collect()
}

/// The name, in kebab case, of the field that follows an attribute: the word before the first colon.
fn field_after(code: &str) -> Option<String> {
    let (before, _) = code.split_once(':')?;
    let name = before.split(|c: char| !c.is_alphanumeric() && c != '_').rfind(|word| !word.is_empty())?;
    Some(name.replace('_', "-"))
}

/// A command of a shell, as far as it matters here.
#[derive(Debug, Eq, PartialEq)]
struct ShellCommand<'t> {
    program: Option<&'static str>,
    is_flag: bool,
    flags: Vec<&'t str>,
}

fn commands(code: &str) -> Vec<ShellCommand<'_>> {
    code.split(['|', ';', '&'])
        .map(command)
        .filter(|command| !command.flags.is_empty() || command.program.is_some())
        .collect()
}

fn command(text: &str) -> ShellCommand<'_> {
    let is_before = |word: &&str| WRAPPERS.contains(word) || (word.contains('=') && !word.starts_with('-'));
    let words: Vec<_> =
        text.split_whitespace().skip_while(is_before).take_while(|word| *word != "#").collect();
    let first = words.first().copied().unwrap_or_default();
    let run_by_cargo =
        words.iter().position(|word| *word == "--").filter(|_| words.starts_with(&["cargo", "run"]));
    let (program, from) = match (first, words.get(1).copied()) {
        ("cargo", Some("xtask")) => (known("xtask"), 2),
        ("cargo", Some("run")) => match run_by_cargo {
            Some(at) => {
                (words.iter().take(at).find_map(|word| known(word.trim_start_matches("keyreeve-"))), at)
            }
            None => (None, words.len()),
        },
        _ if first.starts_with("crates/") => (None, 0),
        _ => (known(first.rsplit('/').next().unwrap_or_default()), 0),
    };
    let flags = words.iter().skip(from).filter_map(|word| word.strip_prefix("--"));
    let names =
        flags.map(|flag| flag.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next().unwrap_or(flag));
    ShellCommand {
        program,
        is_flag: first.starts_with("--"),
        flags: names.filter(|name| !name.is_empty()).collect(),
    }
}

fn known(name: &str) -> Option<&'static str> {
    PROGRAMS.iter().map(|(program, _)| *program).find(|program| *program == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read_from_the_attributes_of_clap() {
        let text = r#"
            struct Options {
                /// Where: `--not-this`
                #[arg(long, default_value = "a, long = b")]
                pub(crate) data_dir: PathBuf,
                #[arg(short, long = "listen", env = "X")]
                address: SocketAddr,
                #[arg(short)]
                quiet: bool,
                #[arg(conflicts_with_all = ["a", "b"], long)]
                /// More.
                pub r_slow: bool,
            }"#;
        assert_eq!(declared(text), ["data-dir", "listen", "r-slow"]);
    }

    #[test]
    fn a_command_is_known_by_its_first_word() {
        for (text, program, flags) in [
            ("keyreeve serve --data-dir x --listen=y", Some("keyreeve"), &["data-dir", "listen"][..]),
            ("A=b sudo ./target/release/keyreeve --help", Some("keyreeve"), &["help"]),
            ("$ cargo xtask test --long", Some("xtask"), &["long"]),
            ("cargo run --release -p keyreeve -- serve --check", Some("keyreeve"), &["check"]),
            ("cargo run -p keyreeve-loadgen -- --body x", Some("loadgen"), &["body"]),
            ("cargo build --release -p keyreeve", None, &["release"]),
            ("aws kms create-key --endpoint-url x", None, &["endpoint-url"]),
            ("crates/loadgen", None, &[]),
            ("keyreeve serve # not --this", Some("keyreeve"), &[]),
        ] {
            let found = command(text);
            assert_eq!((found.program, &*found.flags), (program, flags), "{text}");
        }
    }

    #[test]
    fn an_unknown_flag_is_named_with_its_line() {
        let file = |path: &str, text: &str| TextFile { path: path.to_owned(), text: text.to_owned() };
        let flags = Flags::read(&[file("crates/server/src/main.rs", "#[arg(long)] data_dir: X")]);
        for (text, complaint) in [
            ("`keyreeve serve --data-dir x`", None),
            ("`keyreeve serve --dat x`", Some("a.md:1: keyreeve has no `--dat`")),
            ("`keyreeve serve` takes `--data-dir` and `--speed`", Some("a.md:1: keyreeve has no `--speed`")),
            ("`--speed` of another", None),
            ("```\nkeyreeve serve \\\n --speed && aws --x\n```", Some("a.md:2: keyreeve has no `--speed`")),
        ] {
            let found = flags.complaints(&file("a.md", text));
            assert_eq!(found, complaint.into_iter().collect::<Vec<_>>(), "{text}");
        }
    }
}
