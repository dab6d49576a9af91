//! Any bytes as an attestation document: as a whole, as a signed payload, and as a certificate in the place of each.
#![no_main]

use keyreeve_attestation::{Roots, verify};
use keyreeve_domain::Timestamp;
use libfuzzer_sys::fuzz_target;

/// The head of a COSE_Sign1 structure up to its payload, of which `len` follows in two bytes.
fn signed(payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(payload.len()).unwrap_or(u16::MAX).to_be_bytes();
    [b"\x84\x44\xa1\x01\x38\x22\xa0\x59".as_slice(), &len, payload, b"\x58\x60", &[0; 96]].concat()
}

fuzz_target!(|data: &[u8]| {
    let now = Timestamp::from_millis(1_786_642_608_432);
    let roots = Roots::aws_nitro();
    // Nobody signed them, unless they are a document that was published; none of those has an RSA key.
    assert!(verify(data, now, &roots).is_err());
    assert!(verify(&signed(data), now, &roots).is_err());
    let _ = Roots::none().with_der(data);
    let _ = Roots::none().with_pem(data);
});
