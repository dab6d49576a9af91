//! Which lines of a stream are told: those that complete a request, and those that announce a change which nothing completes any
//! more.

use keyreeve_observe::event::Event;

use crate::lines::Line;
use crate::state::{Opened, StreamState};

/// A line is no event; where it begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unread {
    pub(crate) segment: u32,
    pub(crate) offset: u64,
}

/// What is to be told of the lines `read`, up to which `at` has come; what they announce is kept in `at`. `began` is where the stream ended before
/// this process wrote to it: what was opened before is completed by nobody once all of that was read. `left` is whether more of
/// the stream was there to read.
pub(crate) fn settled(
    at: &mut StreamState,
    began: Option<&(u32, u64)>,
    left: bool,
    read: Vec<Line>,
) -> Result<Vec<Line>, Unread> {
    let mut told = Vec::with_capacity(read.len());
    for line in read {
        let Line { segment, offset, .. } = line;
        let unread = Unread { segment, offset };
        let event = Event::read(&line.json).ok_or(unread)?;
        let (id, is_opened) = (event.event_id.to_owned(), event.is_opened());
        if is_opened {
            let json = String::from_utf8(line.json).map_err(|_error| unread)?;
            at.opened.insert(id, Opened { segment, offset, json });
        } else {
            at.opened.remove(&id);
            told.push(line);
        }
    }
    let Some(began) = began else { return Ok(told) };
    let is_read = at.segment > began.0 || (at.segment == began.0 && !left);
    if !is_read {
        return Ok(told);
    }
    let ended = at.opened.extract_if(.., |_, opened| (opened.segment, opened.offset) < *began);
    told.extend(ended.map(|(_, Opened { segment, offset, json })| Line {
        segment,
        offset,
        json: json.into_bytes(),
    }));
    Ok(told)
}
