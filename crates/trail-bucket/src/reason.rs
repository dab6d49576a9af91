//! Why the bucket did not take a file, in one short line.
//!
//! The library tells all of an answer. What an operator needs of it is the code of the error; and what is in the body of an answer is
//! somebody else's text, of any length.

use std::error::Error as _;

use object_store::Error;

/// One line about `error`.
pub(crate) fn reason(error: &Error) -> String {
    let whole = deepest(error);
    let mut line: String =
        match (between(&whole, "status code: ", ": "), between(&whole, "<Code>", "</Code>")) {
            (Some(status), Some(code)) => format!("it answers {status}, {code}"),
            (Some(status), None) => format!("it answers {status}"),
            (None, Some(code)) => format!("it answers {code}"),
            (None, None) => whole,
        };
    line.retain(|character| !character.is_control());
    if line.len() > MOST {
        line.truncate(line.floor_char_boundary(MOST));
        line.push('…');
    }
    line
}

/// What the library says of the request itself: the sources that say more than the status are below it.
fn deepest(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(below) = source {
        text = below.to_string();
        if text.starts_with(OF_STATUS) {
            break;
        }
        source = below.source();
    }
    text
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    let (found, _) = rest.split_once(after)?;
    Some(found).filter(|found| found.len() <= MOST)
}

const OF_STATUS: &str = "Server returned";
/// Bytes of a line.
const MOST: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    fn generic(text: &str) -> Error {
        Error::Generic { store: "S3", source: text.into() }
    }

    #[test]
    fn a_reason_is_the_code_of_the_answer() {
        for (text, expected) in [
            (
                "Server returned non-2xx status code: 503 Service Unavailable: <Error><Code>SlowDown</Code></Error>",
                "it answers 503 Service Unavailable, SlowDown",
            ),
            ("Server returned non-2xx status code: 502 Bad Gateway: <html>", "it answers 502 Bad Gateway"),
            ("Connection refused\r\n", "Connection refused"),
        ] {
            assert_eq!(reason(&generic(text)), expected);
        }
        assert_eq!(reason(&generic(&"ä".repeat(500))).chars().count(), 101);
    }
}
