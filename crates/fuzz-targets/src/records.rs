//! What lies in the store.

use keyreeve_core::alarm::{AlarmPastRecord, AlarmRecord, read_alarm};
use keyreeve_core::grants::{GrantRecord, SameGrantRecord};
use keyreeve_core::identity::record::{
    AccountRecord, DeclaredRecord, GroupRecord, ManagedPolicyRecord, OrganizationRecord, ProviderRecord,
    RoleRecord, UniqueRecord, UserRecord,
};
use keyreeve_core::identity::session::SessionRecord;
use keyreeve_core::identity::space::read_declared;
use keyreeve_core::record::{
    AliasRecord, CredentialRecord, IndexRecord, KeyRecord, PolicyRecord, Record, UsageRecord,
};
use keyreeve_core::space::{read_cached, read_due};
use keyreeve_store::Path;

/// Any bytes as a record of any kind, and as a path: what is read is written and read again as the same.
pub fn store_record(data: &[u8]) {
    round_trip::<KeyRecord>(data);
    round_trip::<AliasRecord>(data);
    round_trip::<PolicyRecord>(data);
    round_trip::<IndexRecord>(data);
    round_trip::<UsageRecord>(data);
    round_trip::<CredentialRecord>(data);
    round_trip::<AccountRecord>(data);
    round_trip::<UserRecord>(data);
    round_trip::<GroupRecord>(data);
    round_trip::<RoleRecord>(data);
    round_trip::<ManagedPolicyRecord>(data);
    round_trip::<ProviderRecord>(data);
    round_trip::<UniqueRecord>(data);
    round_trip::<OrganizationRecord>(data);
    round_trip::<DeclaredRecord>(data);
    round_trip::<GrantRecord>(data);
    round_trip::<SameGrantRecord>(data);
    round_trip::<SessionRecord>(data);
    round_trip::<AlarmRecord>(data);
    round_trip::<AlarmPastRecord>(data);
    if let Ok(path) = Path::new(data.to_vec()) {
        core::hint::black_box((read_due(&path), read_cached(&path), read_alarm(&path), read_declared(&path)));
    }
}

fn round_trip<R: Record>(data: &[u8]) {
    if let Ok(record) = R::from_bytes(data) {
        let bytes = record.to_bytes().expect("what was read can be written");
        let again = R::from_bytes(&bytes).expect("what was written can be read");
        assert_eq!(*again.to_bytes().expect("it can be written again"), *bytes);
    }
}
