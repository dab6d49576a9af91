//! Resource quotas.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html>.

/// How much of each resource there may be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Quotas {
    /// Customer managed keys per account and Region.
    pub keys: u64,
    /// Aliases per key.
    pub aliases_per_key: u64,
    /// Grants per key.
    pub grants_per_key: u64,
    /// Rotations on demand per key, in its whole life.
    pub on_demand_rotations: u32,
    /// Bytes of a key policy.
    pub policy_bytes: usize,
    /// Tags per key.
    pub tags_per_key: usize,
}

impl Quotas {
    /// The quotas of AWS.
    pub const DEFAULT: Self = Self {
        keys: 100_000,
        aliases_per_key: 50,
        grants_per_key: 50_000,
        on_demand_rotations: 25,
        policy_bytes: 32_768,
        tags_per_key: 50,
    };
}
