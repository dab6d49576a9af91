//! What `verify` finds.

use keyreeve_trail_file::{Options, Report, VerifyError, verify_medium};
use proptest::prelude::*;

use crate::memory::Memory;
use crate::write_runs;

/// Three segments of four lines in `w0`, two in `w1`; a torn tail in the second of `w0`.
fn written() -> Memory {
    let memory = Memory::default();
    write_runs(&memory, "w0", Options::default(), &[3, 3]);
    memory.edit("w0-00000002.log", |bytes| bytes.extend_from_slice(b"9 torn"));
    write_runs(&memory, "w0", Options::default(), &[3]);
    write_runs(&memory, "w1", Options::default(), &[3, 3]);
    verify_medium(&memory).unwrap();
    memory
}

/// What is done to the files.
type Damage = fn(&Memory);

/// Changes the lines of a file.
fn edit_lines(memory: &Memory, name: &str, edit: impl FnOnce(&mut Vec<String>)) {
    let mut lines: Vec<_> = memory.text(name).split_inclusive('\n').map(str::to_owned).collect();
    edit(&mut lines);
    memory.edit(name, |bytes| *bytes = lines.concat().into_bytes());
}

fn swap(memory: &Memory, one: &str, other: &str) {
    memory.with(|state| {
        let (first, second) = (state.files[one].clone(), state.files[other].clone());
        state.files.insert(one.to_owned(), second);
        state.files.insert(other.to_owned(), first);
    });
}

#[test]
fn the_first_break_is_named() {
    let cases: [(&str, &str, Damage); 14] = [
        ("line changed", "broken w0-00000002.log 3", |memory| {
            edit_lines(memory, "w0-00000002.log", |lines| lines[2] = lines[2].replace("event", "tneve"));
        }),
        ("line removed", "broken w0-00000002.log 3", |memory| {
            edit_lines(memory, "w0-00000002.log", |lines| drop(lines.remove(2)));
        }),
        ("line added", "broken w0-00000002.log 3", |memory| {
            edit_lines(memory, "w0-00000002.log", |lines| lines.insert(2, lines[1].clone()));
        }),
        ("lines swapped", "broken w0-00000003.log 2", |memory| {
            edit_lines(memory, "w0-00000003.log", |lines| lines.swap(1, 2));
        }),
        ("header changed", "broken w0-00000002.log 1", |memory| {
            edit_lines(memory, "w0-00000002.log", |lines| {
                lines[0] = lines[0].replace("\"tornBytes\":0", "\"tornBytes\":1");
            });
        }),
        ("header removed", "broken w0-00000002.log 1", |memory| {
            edit_lines(memory, "w0-00000002.log", |lines| drop(lines.remove(0)));
        }),
        ("old segment cut", "end w0-00000001.log 4", |memory| {
            edit_lines(memory, "w0-00000001.log", |lines| drop(lines.pop()));
        }),
        ("old segment extended", "end w0-00000001.log 5", |memory| {
            memory.edit("w0-00000001.log", |bytes| bytes.push(b'5'));
        }),
        ("torn tail removed", "end w0-00000002.log 5", |memory| {
            edit_lines(memory, "w0-00000002.log", |lines| drop(lines.pop()));
        }),
        ("first segment removed", "missing w0-00000001.log", |memory| {
            memory.with(|state| drop(state.files.remove("w0-00000001.log")));
        }),
        ("middle segment removed", "missing w0-00000002.log", |memory| {
            memory.with(|state| drop(state.files.remove("w0-00000002.log")));
        }),
        ("segments swapped", "broken w0-00000001.log 1", |memory| {
            swap(memory, "w0-00000001.log", "w0-00000002.log");
        }),
        ("streams swapped", "broken w0-00000001.log 1", |memory| {
            swap(memory, "w0-00000001.log", "w1-00000001.log");
        }),
        ("segment emptied", "broken w0-00000003.log 1", |memory| {
            memory.edit("w0-00000003.log", Vec::clear);
        }),
    ];
    for (case, expected, damage) in cases {
        let memory = written();
        damage(&memory);
        let found = match verify_medium(&memory).err() {
            None => "nothing".to_owned(),
            Some(VerifyError::Broken { segment, line }) => format!("broken {segment} {line}"),
            Some(VerifyError::End { segment, line }) => format!("end {segment} {line}"),
            Some(VerifyError::Missing { segment }) => format!("missing {segment}"),
            Some(VerifyError::Io(error)) => error.to_string(),
        };
        assert_eq!(found, expected, "{case}");
    }
}

#[test]
fn a_lost_end_shows_in_the_report() {
    let memory = written();
    let whole = verify_medium(&memory).unwrap();
    edit_lines(&memory, "w0-00000003.log", |lines| drop(lines.pop()));
    let cut = verify_medium(&memory).unwrap();
    assert_ne!(whole.streams[0].end, cut.streams[0].end);
    assert_eq!(whole.streams[1], cut.streams[1]);
}

proptest! {
    #[test]
    fn a_changed_byte_is_a_break_or_a_torn_end(file in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), flip in 1u8..=255) {
        let memory = written();
        let whole = verify_medium(&memory).unwrap();
        let names: Vec<String> = memory.with(|state| state.files.keys().cloned().collect());
        let name = file.get(&names);
        let mut torn = false;
        memory.edit(name, |bytes| {
            let at = at.index(bytes.len());
            torn = name == "w0-00000002.log" && at >= bytes.len() - b"9 torn".len();
            bytes[at] ^= flip;
        });
        match verify_medium(&memory) {
            Err(_) => {}
            // The bytes of a torn tail are counted, not chained.
            Ok(report) if torn => prop_assert_eq!(report, whole),
            Ok(report) => {
                let lines = |report: &Report| report.streams.iter().map(|stream| stream.lines).sum::<u64>();
                prop_assert!(lines(&report) < lines(&whole));
            }
        }
    }

    #[test]
    fn cut_or_spliced_bytes_are_a_break_or_a_torn_end(
        file in any::<prop::sample::Index>(),
        from in any::<prop::sample::Index>(),
        len in 1usize..400,
        put in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let memory = written();
        let whole = verify_medium(&memory).unwrap();
        let names: Vec<String> = memory.with(|state| state.files.keys().cloned().collect());
        let name = file.get(&names);
        let mut harmless = false;
        memory.edit(name, |bytes| {
            let from = from.index(bytes.len());
            let to = (from + len).min(bytes.len());
            let torn = name == "w0-00000002.log" && from >= bytes.len() - b"9 torn".len();
            harmless = bytes[from..to] == put || (torn && put.len() == to - from);
            bytes.splice(from..to, put);
        });
        if let Ok(report) = verify_medium(&memory) {
            let newest = ["w0-00000003.log", "w1-00000002.log"].contains(&name.as_str());
            let lines = |report: &Report| report.streams.iter().map(|stream| stream.lines).sum::<u64>();
            prop_assert!(harmless || (newest && lines(&report) < lines(&whole)));
        }
    }
}
