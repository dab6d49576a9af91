//! The CPU time of a process, as Linux tells it: in hundredths of a second.

use std::time::Duration;

/// The CPU time of a process and all its threads so far, user and system; nothing where it cannot be read.
pub(crate) fn cpu_time(process: Option<u32>) -> Option<Duration> {
    let name = process.map_or_else(|| "self".to_owned(), |process| process.to_string());
    let text = std::fs::read_to_string(format!("/proc/{name}/stat")).ok()?;
    // The name of the program, in parentheses, may hold anything; fields 14 and 15 are the times, in ticks of 10 ms.
    let (_, rest) = text.rsplit_once(')')?;
    let mut times = rest.split_ascii_whitespace().skip(11).take(2);
    let (user, system) = (times.next()?.parse::<u64>().ok()?, times.next()?.parse::<u64>().ok()?);
    Some(Duration::from_millis((user + system) * 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_this_process_can_be_read() {
        assert!(cpu_time(None).is_some());
        assert_eq!(cpu_time(Some(u32::MAX)), None);
    }
}
