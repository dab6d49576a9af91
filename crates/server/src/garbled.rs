//! Texts that almost are what they should be, for the tests of whatever reads files of an operator: what is read must be taken or refused
//! in words, and never end the process.

use proptest::prelude::*;
use proptest::sample::{Index, select};

/// What is put into a text.
const PIECES: [&str; 24] = [
    "\"",
    "'",
    "'''",
    "{",
    "}",
    "[",
    "]",
    "=",
    ":",
    ",",
    "\n",
    " ",
    "-",
    "#",
    "\0",
    "\u{feff}",
    "é",
    "\u{1f511}",
    "99999999999999999999",
    "-1",
    "1e999",
    "null",
    "&a *a",
    "\\u0000",
];

#[derive(Clone, Debug)]
enum Edit {
    /// Puts a piece there.
    Insert(Index, &'static str),
    /// Takes out so many characters.
    Remove(Index, usize),
    /// Says a part again, elsewhere.
    Repeat(Index, Index, usize),
    /// Ends the text there.
    Cut(Index),
}

/// `text` with up to four changes.
pub(crate) fn garbled(text: &str) -> impl Strategy<Value = String> + use<> {
    let text = text.to_owned();
    let edit = prop_oneof![
        4 => (any::<Index>(), select(&PIECES[..])).prop_map(|(at, piece)| Edit::Insert(at, piece)),
        4 => (any::<Index>(), 1_usize..20).prop_map(|(at, len)| Edit::Remove(at, len)),
        2 => (any::<Index>(), any::<Index>(), 1_usize..200)
            .prop_map(|(from, to, len)| Edit::Repeat(from, to, len)),
        1 => any::<Index>().prop_map(Edit::Cut),
    ];
    prop::collection::vec(edit, 0..5).prop_map(move |edits| {
        let mut letters: Vec<char> = text.chars().collect();
        for edit in edits {
            let place = |index: Index| index.index(letters.len() + 1);
            match edit {
                Edit::Insert(at, piece) => {
                    let at = place(at);
                    letters.splice(at..at, piece.chars());
                }
                Edit::Remove(at, len) => {
                    let at = place(at);
                    letters.drain(at..letters.len().min(at + len));
                }
                Edit::Repeat(from, to, len) => {
                    let (from, to) = (place(from), place(to));
                    let part: Vec<char> = letters.iter().skip(from).take(len).copied().collect();
                    letters.splice(to..to, part);
                }
                Edit::Cut(at) => letters.truncate(place(at)),
            }
        }
        letters.into_iter().collect()
    })
}

/// The first block of code in `document` that has `mark`.
pub(crate) fn example(document: &str, mark: &str) -> String {
    let mut blocks = document.split("```").skip(1).step_by(2).filter(|block| block.contains(mark));
    let block = blocks.next().unwrap_or_default();
    block.split_once('\n').map_or_else(String::new, |(_, text)| text.to_owned())
}
