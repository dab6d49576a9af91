//! A path that a document names exists.
//!
//! A path is a word of code that begins with a directory of [`ROOTS`], or the target of a relative link. What follows a
//! `#`, a `::` or a `:` and a line number is not part of it; a component with a placeholder (`*`, `<name>`, `{a,b}`, `…`,
//! `NNNN`) ends what is looked at. What a build or a test makes is not looked for.

use std::path::Path;

use crate::markdown;
use crate::repository::{TextFile, is_left_out};

/// The directories by which a path is known.
const ROOTS: [&str; 7] = [".ci/", "clients/", "crates/", "docs/", "fuzz/", "packaging/", "tests/"];

/// Whether the checks of documents look at this file.
pub(crate) fn is_document(path: &str) -> bool {
    ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md", "SECURITY.md"].contains(&path)
        || (path.starts_with("docs/") && path.ends_with(".md"))
}

/// The paths that a document names and that do not exist below `root`.
pub(crate) fn complaints(root: &Path, document: &TextFile) -> Vec<String> {
    let directory = root.join(&document.path).parent().map(Path::to_path_buf).unwrap_or_default();
    let mut complaints = Vec::new();
    for line in markdown::lines(&document.text) {
        let code = if line.fenced { vec![&*line.text] } else { markdown::spans(&line.text) };
        let named = code.iter().flat_map(|code| words(code)).filter_map(repository_path);
        let mut missing: Vec<_> = named.filter(|path| !root.join(path).exists()).collect();
        if !line.fenced {
            let linked = markdown::links(&line.text).into_iter().filter_map(link_path);
            missing.extend(linked.filter(|path| !directory.join(path).exists()));
        }
        let place = format!("{}:{}", document.path, line.number);
        complaints.extend(missing.into_iter().map(|path| format!("{place}: `{path}` does not exist")));
    }
    complaints
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    let around: &[char] = &['"', '\'', '(', ')', '[', ']', '`', ',', ';', '|'];
    code.split(char::is_whitespace).map(move |word| word.trim_matches(around).trim_start_matches("./"))
}

/// The part of a word that must exist, when it is a path of this repository.
fn repository_path(word: &str) -> Option<&str> {
    if !ROOTS.iter().any(|root| word.starts_with(root)) {
        return None;
    }
    let path = word.split("::").next()?.split(['#', ':']).next()?;
    let placeholder = path.find(['*', '<', '{', '…', '$']).into_iter().chain(path.find("NNNN")).min();
    let path = match placeholder {
        Some(placeholder) => path.get(..placeholder)?.rsplit_once('/')?.0,
        None => path.trim_end_matches(['.', '…']),
    };
    (!path.split('/').any(is_left_out)).then_some(path)
}

/// The path of a relative link.
fn link_path(target: &str) -> Option<&str> {
    let path = target.split('#').next()?;
    let elsewhere = path.is_empty() || path.contains(':') || path.starts_with('/');
    (!elsewhere).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_the_repository_is_known_by_its_first_directory() {
        for (word, path) in [
            ("crates/kms/src/lib.rs", Some("crates/kms/src/lib.rs")),
            ("crates/kms/src/lib.rs:12", Some("crates/kms/src/lib.rs")),
            ("docs/a.md#b", Some("docs/a.md")),
            ("tests/e2e/test_x.py::test_y", Some("tests/e2e/test_x.py")),
            ("crates/wire/src/operation/<group>.rs", Some("crates/wire/src/operation")),
            ("clients/*/Cargo.toml", Some("clients")),
            ("docs/decisions/NNNN-title.md", Some("docs/decisions")),
            ("fuzz/corpus/blob", None),
            ("src/main.rs", None),
            ("kms/crates/x", None),
        ] {
            assert_eq!(repository_path(word), path, "{word}");
        }
    }

    #[test]
    fn a_link_with_a_scheme_or_to_a_heading_is_no_path() {
        for (target, path) in [
            ("../README.md#x", Some("../README.md")),
            ("#x", None),
            ("https://example.com/x", None),
            ("mailto:x@example.com", None),
        ] {
            assert_eq!(link_path(target), path, "{target}");
        }
    }

    #[test]
    fn a_missing_path_is_named_with_its_line() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let text = "`crates/xtask/Cargo.toml` and `crates/nothing`\n[x](../nothing.md) [y](../Cargo.toml)\n```\nls tests/nothing\n```\n";
        let document = TextFile { path: "docs/x.md".to_owned(), text: text.to_owned() };
        let found = complaints(&root, &document);
        assert_eq!(found.len(), 3 + usize::from(!root.join("docs").exists()), "{found:?}");
        assert_eq!(found[0], "docs/x.md:1: `crates/nothing` does not exist");
    }
}
