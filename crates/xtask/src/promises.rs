//! Every promise of ARCHITECTURE.md, and every weakness that the documents say is tested for, is held by tests that exist.
//!
//! The tables have the rows `| promise | held by |`. The second cell names at least one test in
//! back-ticks: `crate::path::to::test`, where the crate is a directory of `crates/` (or a crate's name), or
//! `tests/e2e/file.py::test_name`. A test exists when a function of its name stands in a file of that crate, or in that file.

use crate::markdown;
use crate::repository::TextFile;
use crate::rust_source::RustSource;

const DOCUMENT: &str = "ARCHITECTURE.md";

/// A table whose last column names tests: its file and its heading. A file that is not there is a complaint.
const TABLES: [(&str, &str); 2] =
    [(DOCUMENT, "## Promises"), ("docs/reliability.md", "## Published weaknesses of peers")];

/// The rows that no existing test holds.
pub(crate) fn complaints(files: &[TextFile]) -> Vec<String> {
    TABLES.iter().flat_map(|(path, heading)| complaints_of(path, heading, files)).collect()
}

fn complaints_of(path: &str, heading: &str, files: &[TextFile]) -> Vec<String> {
    let Some(document) = files.iter().find(|file| file.path == path) else {
        return vec![format!("{path}: missing; its table `{heading}` names the tests that hold it")];
    };
    let rows = rows(&document.text, heading);
    if rows.is_empty() {
        return vec![format!("{path}: no table under `{heading}`")];
    }
    let mut complaints = Vec::new();
    for (line, cell) in rows {
        let tests: Vec<_> = markdown::spans(cell).into_iter().filter(|span| span.contains("::")).collect();
        if tests.is_empty() {
            complaints.push(format!("{path}:{line}: no test holds this"));
        }
        let missing = tests.into_iter().filter(|test| !exists(test, files));
        complaints.extend(missing.map(|test| format!("{path}:{line}: there is no test `{test}`")));
    }
    complaints
}

/// The last cell of each row of the table under `heading`, with its line.
fn rows<'d>(document: &'d str, heading: &str) -> Vec<(usize, &'d str)> {
    let numbered = (1..).zip(document.lines());
    let section = numbered.skip_while(|(_, line)| line.trim() != heading).skip(1);
    let section = section.take_while(|(_, line)| !line.starts_with("## "));
    let table = section.filter(|(_, line)| line.starts_with('|'));
    let cells = table
        .filter_map(|(number, line)| Some((number, line.trim_end().strip_suffix('|')?.rsplit_once('|')?.1)));
    cells.filter(|(_, cell)| !cell.chars().all(|c| matches!(c, '-' | ':' | ' '))).skip(1).collect()
}

fn exists(test: &str, files: &[TextFile]) -> bool {
    let (Some((place, _)), Some((_, name))) = (test.split_once("::"), test.rsplit_once("::")) else {
        return false;
    };
    if place.ends_with(".py") {
        let name = name.split('[').next().unwrap_or(name);
        let file = files.iter().find(|file| file.path == place);
        return file.is_some_and(|file| defines(&file.text, "def ", name));
    }
    let directory = match place {
        "keyreeve" => "server".to_owned(),
        _ => place.strip_prefix("keyreeve_").unwrap_or(place).replace('_', "-"),
    };
    let directory = format!("crates/{directory}/");
    let mut sources = files.iter().filter(|f| f.path.starts_with(&directory) && f.path.ends_with(".rs"));
    sources.any(|file| file.text.contains(name) && defines(&RustSource::split(&file.text).code, "fn ", name))
}

fn defines(code: &str, keyword: &str, name: &str) -> bool {
    let definition = format!("{keyword}{name}");
    code.match_indices(&definition).any(|(at, _)| {
        let after = code.get(at + definition.len()..).and_then(|rest| rest.chars().next());
        !after.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(architecture: &str) -> Vec<TextFile> {
        [
            (DOCUMENT, architecture),
            (
                "docs/reliability.md",
                "## Published weaknesses of peers\n| weakness | tests |\n|---|---|\n| w | `keyreeve::drains` |\n",
            ),
            (
                "crates/store-redb/tests/kill.rs",
                "#[test]\nfn nothing_is_lost() {}\n// fn only_in_a_comment()",
            ),
            ("crates/server/src/main.rs", "fn drains() {}"),
            ("tests/e2e/test_kill.py", "def test_kill(server):\n    pass\n"),
        ]
        .map(|(path, text)| TextFile { path: path.to_owned(), text: text.to_owned() })
        .into()
    }

    #[test]
    fn a_promise_is_held_by_tests_that_exist() {
        for (cell, complaint) in [
            ("`store_redb::kill::nothing_is_lost`", None),
            ("`keyreeve_store_redb::kill::nothing_is_lost`, `keyreeve::drains`", None),
            ("`tests/e2e/test_kill.py::test_kill[1]`", None),
            ("review", Some("ARCHITECTURE.md:5: no test holds this")),
            ("`cargo xtask check`", Some("ARCHITECTURE.md:5: no test holds this")),
            (
                "`store::nothing_is_lost`",
                Some("ARCHITECTURE.md:5: there is no test `store::nothing_is_lost`"),
            ),
            (
                "`store_redb::only_in_a_comment`",
                Some("ARCHITECTURE.md:5: there is no test `store_redb::only_in_a_comment`"),
            ),
            (
                "`tests/e2e/test_kill.py::test_ki`",
                Some("ARCHITECTURE.md:5: there is no test `tests/e2e/test_kill.py::test_ki`"),
            ),
        ] {
            let text = format!(
                "# A\n## Promises\n| promise | held by |\n|---|---|\n| p | {cell} |\n## B\n| a | b |\n"
            );
            assert_eq!(complaints(&files(&text)), complaint.into_iter().collect::<Vec<_>>(), "{cell}");
        }
    }

    #[test]
    fn a_missing_table_is_a_complaint() {
        assert_eq!(complaints(&files("# A\n")).len(), 1);
        assert_eq!(complaints(&[]).len(), 2);
    }
}
