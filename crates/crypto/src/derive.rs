//! Key derivation: SP 800-108r1 section 4.1, counter mode, HMAC-SHA-256, a 32-bit counter before the fixed input.

use aws_lc_rs::kdf::{KbkdfCtrHmacAlgorithmId, get_kbkdf_ctr_hmac_algorithm, kbkdf_ctr_hmac};

/// The derivation failed inside the library.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("key derivation failed")]
pub struct DeriveError;

/// Writes `parts` one behind the other to `input`, which must be as long as all of them.
pub(crate) fn fixed_input(input: &mut [u8], parts: [&[u8]; 4]) -> Result<(), DeriveError> {
    let mut rest = input;
    for part in parts {
        let (slot, behind) = rest.split_at_mut_checked(part.len()).ok_or(DeriveError)?;
        slot.copy_from_slice(part);
        rest = behind;
    }
    if rest.is_empty() { Ok(()) } else { Err(DeriveError) }
}

/// Fills `output` from `secret` and `fixed_input` (label ‖ 0x00 ‖ context ‖ length in bits, built by the caller).
///
/// # Errors
/// Where the library refuses the lengths.
pub(crate) fn derive(secret: &[u8], fixed_input: &[u8], output: &mut [u8]) -> Result<(), DeriveError> {
    let algorithm = get_kbkdf_ctr_hmac_algorithm(KbkdfCtrHmacAlgorithmId::Sha256).ok_or(DeriveError)?;
    kbkdf_ctr_hmac(algorithm, secret, fixed_input, output).or(Err(DeriveError))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// NIST CAVP KBKDF, `CTR_HMAC_SHA256`, `BEFORE_FIXED`, r = 32 bits, COUNT = 0 and L = 128.
    #[test]
    fn the_construction_matches_a_published_vector() {
        let key = hex("dd1d91b7d90b2bd3138533ce92b272fbf8a369316aefe242e659cc0ae238afe0");
        let fixed = hex(
            "01322b96b30acd197979444e468e1c5c6859bf1b1cf951b7e725303e237e46b864a145fab25e517b08f8683d0315bb2911d80a0e8aba17f3b413faac",
        );
        let mut output = [0; 16];
        derive(&key, &fixed, &mut output).unwrap();
        assert_eq!(output.to_vec(), hex("10621342bfb0fd40046c0e29f2cfdbf0"));
    }

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }
}
