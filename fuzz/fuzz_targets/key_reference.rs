//! Any text as a key id, key ARN, alias or alias ARN: what is read prints as it was given.
#![no_main]

use keyreeve_domain::KeyRef;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let printed = match text.parse() {
        Ok(KeyRef::Alias(alias)) => alias.to_string(),
        Ok(KeyRef::AliasArn(arn)) => arn.to_string(),
        Ok(KeyRef::Arn(arn)) => arn.to_string(),
        Ok(KeyRef::Id(id)) => id.to_string(),
        Err(_) => return,
    };
    assert_eq!(printed, text);
});
