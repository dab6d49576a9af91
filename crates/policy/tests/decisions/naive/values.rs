//! Numbers, dates, addresses and base64, naively.

const DIGITS: usize = 80;

/// A decimal number as a sign and so many digits before and behind the point that texts compare as numbers do.
pub(crate) fn number(text: &str) -> Option<(i8, Vec<i16>)> {
    let (mantissa, exponent) = match text.to_lowercase().split_once('e') {
        Some((mantissa, exponent)) => (mantissa.to_owned(), exponent.parse::<i32>().ok()?),
        None => (text.to_owned(), 0),
    };
    let negative = mantissa.starts_with('-');
    let unsigned = mantissa.strip_prefix(['-', '+']).unwrap_or(&mantissa).to_owned();
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((&unsigned, ""));
    let all = format!("{whole}{fraction}");
    if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut digits = vec![0; 2 * DIGITS];
    let point = i32::try_from(whole.len()).unwrap() + exponent;
    for (index, byte) in all.bytes().enumerate() {
        let place = i32::try_from(DIGITS + index).unwrap() - point;
        if byte != b'0' {
            digits[usize::try_from(place).unwrap()] = i16::from(byte - b'0');
        }
    }
    if digits.iter().all(|digit| *digit == 0) {
        return Some((0, digits));
    }
    let signed = digits.into_iter().map(|digit| if negative { -digit } else { digit }).collect();
    Some((if negative { -1 } else { 1 }, signed))
}

/// A point in time, in milliseconds since the epoch.
pub(crate) fn milliseconds(text: &str) -> Option<i128> {
    nanoseconds(text.strip_prefix('+').unwrap_or(text)).map(|nanos| nanos.div_euclid(1_000_000))
}

fn nanoseconds(text: &str) -> Option<i128> {
    let is_number =
        text.strip_prefix('-').unwrap_or(text).bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if is_number && text.len() != 4 {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let nanos = format!("{fraction:0<9}")[..9].parse::<i128>().ok().filter(|_| !fraction.is_empty())?;
        // Later than any calendar: the engine does not read it.
        let seconds =
            whole.parse::<i128>().ok().filter(|seconds| seconds.abs() < i128::from(i64::MAX / 2))?;
        let sign = if text.starts_with('-') { -1 } else { 1 };
        return Some(seconds * 1_000_000_000 + sign * nanos);
    }
    let (date, time) = text.split_once('T').map_or((text, None), |(date, time)| (date, Some(time)));
    let parts: Vec<i64> = date.split('-').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let lengths: Vec<usize> = date.split('-').map(str::len).collect();
    if !matches!(lengths.as_slice(), [4] | [4, 2] | [4, 2, 2]) || time.is_some() && lengths.len() < 3 {
        return None;
    }
    let (year, month, day) =
        (parts[0], parts.get(1).copied().unwrap_or(1), parts.get(2).copied().unwrap_or(1));
    if !(1..=12).contains(&month) || !(1..=days(year, month)).contains(&day) {
        return None;
    }
    let mut total: i128 = 0;
    for past in 1970..year {
        total += (1..=12).map(|month| i128::from(days(past, month))).sum::<i128>();
    }
    for coming in year..1970 {
        total -= (1..=12).map(|month| i128::from(days(coming, month))).sum::<i128>();
    }
    total += (1..month).map(|month| i128::from(days(year, month))).sum::<i128>() + i128::from(day - 1);
    let mut nanos = total * 86_400 * 1_000_000_000;
    if let Some(time) = time {
        let (clock, minutes) = match time.strip_suffix('Z') {
            Some(clock) => (clock, 0),
            None => match time.find(['+', '-']) {
                None => (time, 0),
                Some(at) => {
                    let sign = if time[at..].starts_with('-') { -1 } else { 1 };
                    let (hours, minutes) = time[at + 1..].split_once(':')?;
                    (&time[..at], sign * (hours.parse::<i128>().ok()? * 60 + minutes.parse::<i128>().ok()?))
                }
            },
        };
        let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
        let parts: Vec<i128> = clock.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
        if parts.len() < 2 || parts.len() > 3 || parts[0] > 23 || parts[1] > 59 {
            return None;
        }
        let seconds = parts[0] * 3600 + parts[1] * 60 + parts.get(2).copied().unwrap_or(0) - minutes * 60;
        nanos += seconds * 1_000_000_000 + format!("{fraction:0<9}")[..9].parse::<i128>().ok()?;
    }
    Some(nanos)
}

fn days(year: i64, month: i64) -> i64 {
    let leap = year % 400 == 0 || year % 4 == 0 && year % 100 != 0;
    [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        [usize::try_from(month - 1).unwrap()]
}

/// Whether an address lies in a network: whether the bits of the one begin with the prefix of the other.
pub(crate) fn in_network(value: &str, network: &str) -> bool {
    let (base, length) =
        network.split_once('/').map_or((network, None), |(base, length)| (base, Some(length)));
    let is_v6 = base.contains(':');
    let bits = if is_v6 { v6(base) } else { v4(base) };
    let (Some(value), Some(bits)) = (address(value), bits) else { return false };
    let length = match length.map(|length| length.strip_prefix('+').unwrap_or(length)) {
        None => bits.len(),
        Some(length) if !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit()) => {
            length.parse().unwrap()
        }
        Some(_) => return false,
    };
    if length > bits.len() || is_v6 && bits[length..].contains('1') {
        return false;
    }
    value.len() == bits.len() && value.starts_with(&bits[..length])
}

/// The bits of the address of a request.
pub(crate) fn address(text: &str) -> Option<String> {
    if !text.contains(':') {
        return v4(text);
    }
    let mapped = format!("{}{}", "0".repeat(80), "1".repeat(16));
    let bits = match text.rsplit_once(':') {
        Some((head, dotted)) if dotted.contains('.') => {
            let bits = format!("{}{}", &v6(&format!("{head}:0:0"))?[..96], v4(dotted)?);
            Some(bits).filter(|bits| bits.starts_with(&mapped))?
        }
        _ => v6(text)?,
    };
    Some(bits.strip_prefix(&mapped).map_or(bits.clone(), str::to_owned))
}

fn v4(text: &str) -> Option<String> {
    let octet = |part: &str| {
        let is_decimal = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let octet: u8 = part.parse().ok().filter(|_| is_decimal)?;
        Some(format!("{octet:08b}"))
    };
    let octets: Vec<String> = text.split('.').map(octet).collect::<Option<_>>()?;
    (octets.len() == 4).then(|| octets.concat())
}

/// Eight groups between colons, of which one run may be left out.
fn v6(text: &str) -> Option<String> {
    let mut groups: Vec<&str> = text.split(':').collect();
    if groups.len() > 2 && groups.last() == Some(&"") && !groups[groups.len() - 2].is_empty() {
        groups.pop();
    }
    if groups.len() > 2 && groups[0].is_empty() && !groups[1].is_empty() {
        groups[0] = "0";
    }
    let bits = |groups: &[&str]| -> Option<String> {
        let group = |group: &&str| {
            let is_hex = (1..=4).contains(&group.len()) && group.bytes().all(|byte| byte.is_ascii_hexdigit());
            Some(format!("{:016b}", u16::from_str_radix(group, 16).ok().filter(|_| is_hex)?))
        };
        groups.iter().map(group).collect()
    };
    let Some(first) = groups.iter().position(|group| group.is_empty()) else {
        return bits(&groups).filter(|bits| bits.len() == 128);
    };
    let run = groups[first..].iter().take_while(|group| group.is_empty()).count();
    let last = first + run;
    // An edge is an empty group of its own; one more may be written between two colons.
    let edges = usize::from(first == 0) + usize::from(last == groups.len());
    if run > edges + 2 {
        return None;
    }
    let (head, tail) = (bits(&groups[..first])?, bits(&groups[last..])?);
    let missing = 128_usize.checked_sub(head.len() + tail.len()).filter(|missing| *missing > 0)?;
    Some(format!("{head}{}{tail}", "0".repeat(missing)))
}

/// The base64 of bytes.
pub(crate) fn base64(bytes: &[u8]) -> String {
    let bits: String = bytes.iter().map(|byte| format!("{byte:08b}")).collect();
    let mut text = String::new();
    for at in (0..bits.len()).step_by(6) {
        let sextet = format!("{:0<6}", &bits[at..bits.len().min(at + 6)]);
        text.push(char::from(ALPHABET.as_bytes()[usize::from_str_radix(&sextet, 2).unwrap()]));
    }
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The bytes that base64 stands for, through a text of bits.
pub(crate) fn bytes(text: &str) -> Option<Vec<u8>> {
    let bare = text.trim_end_matches('=');
    if bare.len() % 4 == 1
        || text.len() > bare.len() && !text.len().is_multiple_of(4)
        || text.len() - bare.len() > 2
    {
        return None;
    }
    let mut bits = String::new();
    for char in bare.chars() {
        bits.push_str(&format!("{:06b}", ALPHABET.find(char)?));
    }
    let whole = bits.len() / 8;
    Some((0..whole).map(|at| u8::from_str_radix(&bits[at * 8..at * 8 + 8], 2).unwrap()).collect())
}
