//! Key material as a seed file writes it: PEM, hexadecimal digits, or base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;
use zeroize::Zeroizing;

/// Decoded material.
pub(super) struct Decoded {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    /// Whether it is a document that says what key it holds.
    pub(super) is_document: bool,
}

/// Decodes material; why it cannot be, for people.
pub(super) fn decode(text: &str) -> Result<Decoded, String> {
    let text = text.trim();
    let plain = |bytes| Ok(Decoded { bytes: Zeroizing::new(bytes), is_document: false });
    if text.starts_with("-----BEGIN") {
        let key = PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|error| {
            format!("the material is no private key in PEM: {error}; it must be unencrypted")
        })?;
        let bytes = Zeroizing::new(key.secret_der().to_vec());
        return Ok(Decoded { bytes, is_document: true });
    }
    if let Some(digits) = text.strip_prefix("hex:") {
        return unhex(digits).map_or_else(|| Err("the material is not hexadecimal".to_owned()), plain);
    }
    if let Some(bytes) = unhex(text).filter(|_| !text.starts_with("base64:")) {
        return plain(bytes);
    }
    let encoded: String =
        text.strip_prefix("base64:").unwrap_or(text).chars().filter(|sign| !sign.is_whitespace()).collect();
    match STANDARD.decode(encoded) {
        Ok(bytes) => plain(bytes),
        Err(_) => Err("the material is neither PEM nor hexadecimal nor base64".to_owned()),
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if text.is_empty()
        || !text.len().is_multiple_of(2)
        || !text.bytes().all(|digit| digit.is_ascii_hexdigit())
    {
        return None;
    }
    let digits = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    text.as_bytes().chunks(2).map(digits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_encoding_is_told_by_its_look() {
        for (text, bytes) in [
            ("00ff", Some(&[0, 255][..])),
            (" 00FF\n", Some(&[0, 255])),
            ("hex:00ff", Some(&[0, 255])),
            ("base64:00ff", Some(&[0xd3, 0x47, 0xdf])),
            ("AP8=", Some(&[0, 255])),
            ("hex:0", None),
            ("AP8", None),
            ("-----BEGIN PRIVATE KEY-----\n", None),
        ] {
            assert_eq!(decode(text).ok().map(|decoded| decoded.bytes.to_vec()).as_deref(), bytes, "{text}");
        }
    }
}
