//! The rules of the house that a machine can see.
//!
//! No attribute that allows a lint away; no mark of work left to do without the number of an issue; a reason at each
//! exposure of a secret; no host of a package registry in a file (mirrors are a matter of each machine). Long files are
//! named, as a question for the reviewer.

use crate::repository::TextFile;
use crate::rust_source::RustSource;

/// A file of more lines is a question for the reviewer.
const LONG: usize = 700;
/// How far above an exposure its reason may begin, in lines.
const REASON_WITHIN: usize = 4;

const MARKS: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];
const SCRIPTS: [&str; 5] = [".js", ".mjs", ".py", ".sh", ".toml"];

const REGISTRY_HOSTS: [&str; 10] = [
    concat!("crates", ".io"),
    concat!("pypi", ".org"),
    concat!("pythonhosted", ".org"),
    concat!("npmjs", ".org"),
    concat!("npmjs", ".com"),
    concat!("yarnpkg", ".com"),
    concat!("deb.debian", ".org"),
    concat!("archive.ubuntu", ".com"),
    concat!("proxy.golang", ".org"),
    concat!("repo.maven.apache", ".org"),
];

/// What the rules found.
#[derive(Default)]
pub(crate) struct Findings {
    /// What breaks a rule.
    pub(crate) complaints: Vec<String>,
    /// Files over the length that a reviewer accepts unasked.
    pub(crate) long_files: Vec<String>,
    /// How many times a secret is exposed outside of tests.
    pub(crate) exposures: usize,
}

impl Findings {
    pub(crate) fn of(files: &[TextFile]) -> Self {
        let mut this = Self::default();
        for file in files {
            this.registry_hosts(file);
            if file.path.ends_with(".rs") {
                this.rust(file);
            }
            if SCRIPTS.iter().any(|extension| file.path.ends_with(extension)) {
                this.marks(file, &file.text);
            }
            let is_source = file.path.ends_with(".rs") || SCRIPTS.iter().any(|end| file.path.ends_with(end));
            let lines = file.text.lines().count();
            if is_source && lines > LONG {
                this.long_files.push(format!("{}: {lines} lines", file.path));
            }
        }
        this
    }

    fn complain(&mut self, file: &TextFile, line: usize, what: &str) {
        self.complaints.push(format!("{}:{line}: {what}", file.path));
    }

    fn registry_hosts(&mut self, file: &TextFile) {
        if file.path.ends_with("Cargo.lock") {
            return;
        }
        for (number, line) in (1..).zip(file.text.lines()) {
            if REGISTRY_HOSTS.iter().any(|host| line.contains(host)) {
                self.complain(file, number, "names the host of a package registry");
            }
        }
    }

    fn rust(&mut self, file: &TextFile) {
        let source = RustSource::split(&file.text);
        for (number, line) in (1..).zip(source.code.lines()) {
            if line.contains("#[allow(") || line.contains("#![allow(") {
                self.complain(file, number, "a lint is allowed: use `#[expect(.., reason = \"..\")]`");
            }
        }
        self.marks(file, &source.comments);
        if file.path.starts_with("crates/")
            && file.path.contains("/src/")
            && !file.path.ends_with("/tests.rs")
        {
            self.exposures(file, &source);
        }
    }

    fn marks(&mut self, file: &TextFile, text: &str) {
        for (number, line) in (1..).zip(text.lines()) {
            let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
            if words.any(|word| MARKS.contains(&word)) && !names_issue(line) {
                self.complain(file, number, "work left to do without the number of an issue");
            }
        }
    }

    fn exposures(&mut self, file: &TextFile, source: &RustSource) {
        let code = source.code_without_tests();
        let comments: Vec<_> = source.comments.lines().collect();
        for (index, line) in code.lines().enumerate() {
            let count = exposures_in(line);
            self.exposures += count;
            let nearby = comments.get(index.saturating_sub(REASON_WITHIN)..=index).unwrap_or_default();
            if count > 0 && !nearby.iter().any(|comment| comment.contains("EXPOSE")) {
                self.complain(file, index + 1, "a secret is exposed without `// EXPOSE: why`");
            }
        }
    }
}

fn exposures_in(line: &str) -> usize {
    let calls = line.matches(".expose(").count() + line.matches("expose_secret(").count();
    calls - line.matches("fn expose_secret(").count()
}

/// Whether a line has `#` and a number.
fn names_issue(line: &str) -> bool {
    line.split('#').skip(1).any(|after| after.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(path: &str, text: &str) -> usize {
        Findings::of(&[TextFile { path: path.to_owned(), text: text.to_owned() }]).complaints.len()
    }

    #[test]
    fn each_rule_sees_its_breach_and_nothing_else() {
        let (mark, host) = (MARKS[0], REGISTRY_HOSTS[0]);
        for (case, path, text, expected) in [
            ("allow", "crates/a/src/a.rs", "#[allow(x)]\nfn f() {}".to_owned(), 1),
            ("allow in a crate", "fuzz/a.rs", "#![allow(x)]".to_owned(), 1),
            ("allow in a string", "crates/a/src/a.rs", "\"#[allow(x)]\"".to_owned(), 0),
            ("expect", "crates/a/src/a.rs", "#[expect(x, reason = \"y\")]".to_owned(), 0),
            ("mark", "crates/a/src/a.rs", format!("// {mark}: x"), 1),
            ("mark with an issue", "crates/a/src/a.rs", format!("// {mark}(#12): x"), 0),
            ("mark in a string", "crates/a/src/a.rs", format!("\"{mark}\""), 0),
            ("mark in a script", "tests/a.py", format!("# {mark}: x"), 1),
            ("mark in a document", "CONTRIBUTING.md", format!("no {mark}"), 0),
            ("host", "README.md", format!("from {host}"), 1),
            ("host in the lock file", "fuzz/Cargo.lock", format!("from {host}"), 0),
        ] {
            assert_eq!(complaints(path, &text), expected, "{case}");
        }
    }

    #[test]
    fn an_exposure_needs_its_reason_within_four_lines_above() {
        for (case, path, text, expected) in [
            ("none", "crates/a/src/a.rs", "f(key.expose());", 1),
            ("above", "crates/a/src/a.rs", "// EXPOSE: why\n\n\n\nf(key.expose());", 0),
            ("too far", "crates/a/src/a.rs", "// EXPOSE: why\n\n\n\n\nf(key.expose());", 1),
            ("on the line", "crates/a/src/a.rs", "f(key.expose_secret()); // EXPOSE: why", 0),
            ("in a string", "crates/a/src/a.rs", "\"EXPOSE\"; f(key.expose());", 1),
            ("definition", "crates/a/src/a.rs", "fn expose_secret(&self) {}", 0),
            ("in a unit test", "crates/a/src/a.rs", "#[cfg(test)]\nmod tests { fn f() { key.expose() } }", 0),
            ("in an integration test", "crates/a/tests/a.rs", "f(key.expose());", 0),
            ("in a comment", "crates/a/src/a.rs", "//! key.expose()", 0),
        ] {
            assert_eq!(complaints(path, text), expected, "{case}");
        }
    }
}
