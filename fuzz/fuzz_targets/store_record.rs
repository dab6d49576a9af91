//! Any bytes as a record of any kind: what is read is written and read again as the same.
#![no_main]

use keyreeve_core::record::{
    AliasRecord, CredentialRecord, IndexRecord, KeyRecord, PolicyRecord, Record, UsageRecord,
};
use libfuzzer_sys::fuzz_target;

fn round_trip<R: Record>(data: &[u8]) {
    if let Ok(record) = R::from_bytes(data) {
        let bytes = record.to_bytes().unwrap();
        let again = R::from_bytes(&bytes).unwrap();
        assert_eq!(*again.to_bytes().unwrap(), *bytes);
    }
}

fuzz_target!(|data: &[u8]| {
    round_trip::<KeyRecord>(data);
    round_trip::<AliasRecord>(data);
    round_trip::<PolicyRecord>(data);
    round_trip::<IndexRecord>(data);
    round_trip::<UsageRecord>(data);
    round_trip::<CredentialRecord>(data);
});
