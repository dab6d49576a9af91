//! Names of things.

use core::fmt::Display;
use core::str::FromStr;

use keyreeve_audit::segment::{SegmentName, StreamName};
use keyreeve_domain::{AccountId, AliasName, KeyId, KeyRef, Region};
use keyreeve_observe::layout::{iso, parse_iso};

use crate::text;

/// Any text as a key id, key ARN, alias or alias ARN, and as each other name: what is read prints as it was given.
pub fn key_reference(data: &[u8]) {
    let text = text(data);
    let printed = match text.parse() {
        Ok(KeyRef::Alias(alias)) => alias.to_string(),
        Ok(KeyRef::AliasArn(arn)) => arn.to_string(),
        Ok(KeyRef::Arn(arn)) => arn.to_string(),
        Ok(KeyRef::Id(id)) => id.to_string(),
        Err(_) => text.to_owned(),
    };
    assert_eq!(printed, text);
    prints::<AccountId>(text);
    prints::<AliasName>(text);
    prints::<KeyId>(text);
    prints::<Region>(text);
    prints::<SegmentName>(text);
    prints::<StreamName>(text);
    if let Some(time) = parse_iso(text) {
        assert_eq!(parse_iso(&iso(time)), Some(time), "{text}");
    }
}

fn prints<T: Display + FromStr>(text: &str) {
    if let Ok(read) = text.parse::<T>() {
        assert_eq!(read.to_string(), text);
    }
}
