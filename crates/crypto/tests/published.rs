//! Values that others made: RFC 8032, GM/T 0003.5, OpenSSL.

#![expect(clippy::unwrap_used, reason = "test code")]

use keyreeve_crypto::asymmetric::{KeyPair, Message};
use keyreeve_domain::spec::{EncryptionAlgorithm, KeySpec, SigningAlgorithm};

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// RFC 8032 section 7.3 has the key and "abc". What the service signs is the digest, as if it were the message, so the second
/// signature is of SHA-512("abc"), by the program of RFC 8032 section 6 (extended to Ed25519ph).
#[test]
fn ed25519ph_hashes_the_digest_again() {
    let pair = KeyPair::parse_pkcs8(
        KeySpec::EccNistEdwards25519,
        &hex("302e020100300506032b657004220420833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42"),
    )
    .unwrap();
    let public = hex("ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf");
    assert!(pair.public_key().ends_with(&public));
    let digest = hex("ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
         2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
    let of_the_digest = hex("914dc6538ac512db8ffbdfbbf9c2fd2c1e5c915ff5d708751ad2d3a1425f0c9b\
         fa3f1da6d93e5c7fc5b106b536f7263a3db68e4a285f30e4bd7e8b9f93d42f0e");
    let of_the_message = hex("98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41\
         31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406");
    let algorithm = SigningAlgorithm::Ed25519PhSha512;
    assert_eq!(pair.sign(algorithm, Message::Digest(&digest)).unwrap(), of_the_digest);
    assert_eq!(pair.verify(algorithm, Message::Digest(&digest), &of_the_digest), Ok(()));
    assert!(pair.verify(algorithm, Message::Digest(&digest), &of_the_message).is_err());
}

/// RFC 8032 section 7.1, test 2.
#[test]
fn ed25519_gives_the_published_signature() {
    let pair = KeyPair::parse_pkcs8(
        KeySpec::EccNistEdwards25519,
        &hex("302e020100300506032b6570042204204ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"),
    )
    .unwrap();
    let signature = hex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
    assert_eq!(pair.sign(SigningAlgorithm::Ed25519Sha512, Message::Raw(&[0x72])).unwrap(), signature);
}

/// GM/T 0003.5-2012 part 2 appendix A: the curve, the key, "message digest" and the default identity.
#[test]
fn sm2_verifies_the_signature_of_the_standard() {
    let mut document = hex("308187020100301306072a8648ce3d020106082a811ccf5501822d046d306b0201010420\
         3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8a144034200\
         0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020\
         ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13");
    let pair = KeyPair::parse_pkcs8(KeySpec::Sm2, &document).unwrap();
    let signature = hex("3046022100f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3\
         022100b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa");
    assert_eq!(pair.verify(SigningAlgorithm::Sm2Dsa, Message::Raw(b"message digest"), &signature), Ok(()));
    *document.last_mut().unwrap() ^= 1;
    assert!(KeyPair::parse_pkcs8(KeySpec::Sm2, &document).is_err(), "another public key inside");
}

/// OpenSSL 3.0.19: `genpkey -algorithm SM2`, then `pkeyutl` with `-rawin -digest sm3 -pkeyopt distid:1234567812345678`, without
/// them on 32 bytes, and `-encrypt`. The agreed secret was computed with Python's integers.
#[test]
fn sm2_reads_what_openssl_wrote() {
    let pair = KeyPair::parse_pkcs8(
        KeySpec::Sm2,
        &hex("308187020100301306072a8648ce3d020106082a811ccf5501822d046d306b0201010420\
             ed1bf7b5d53d88e6c59e2d1e8069a6688cb348a2a5fbf5ebb37ef08cc8b1d0f7a144034200\
             044a33cc3df61f94782e93720181f6698a4b1a2ba6e6c5a647eb7b21cf67e2ab83\
             21da9d3398a0c2977370c21b580df5cc0bfc0c999910fc49d352ece64f4b8796"),
    )
    .unwrap();
    let spki = hex("3059301306072a8648ce3d020106082a811ccf5501822d034200\
         044a33cc3df61f94782e93720181f6698a4b1a2ba6e6c5a647eb7b21cf67e2ab83\
         21da9d3398a0c2977370c21b580df5cc0bfc0c999910fc49d352ece64f4b8796");
    assert_eq!(pair.public_key(), spki);
    let of_the_message = hex("3045022074f5c9d47de88767d79ac488ebdd13ac5b05a66f2b82b8644210d1499020c60b\
         022100ea4c48bb720e0b58acaa0961504849b5fa9d0bb92fe73327014aec87e6329347");
    let of_a_digest = hex("3046022100eb120c05b08259cef56796c3420e0da193750f5df412d69830860ae0bff8ffb6\
         022100ccb771c80efb3bfc8d8173fcc7a68f97c6894797db143420dd51cf0a97a97516");
    let digest: Vec<u8> = (0..32).collect();
    let algorithm = SigningAlgorithm::Sm2Dsa;
    assert_eq!(pair.verify(algorithm, Message::Raw(b"message digest"), &of_the_message), Ok(()));
    assert_eq!(pair.verify(algorithm, Message::Digest(&digest), &of_a_digest), Ok(()));
    assert!(pair.verify(algorithm, Message::Raw(&digest), &of_a_digest).is_err());
    let ciphertext = hex("3077022100b076180fe8a8440441d52c8564f889065cfd5f13286edf9141281540426698e1\
         0220769a77f409857a5d4d66a1bcf7ca052fa9d24f3385f6715f5ede0a01516f9892\
         04204852ad17d7067fd9cb4675dd17fc64ec1f299da65376915b4e0aa65a36a78aae\
         040e2ae342ec55eb8cca62825b7c1317");
    assert_eq!(*pair.decrypt(EncryptionAlgorithm::Sm2Pke, &ciphertext).unwrap(), b"message digest");
    let peer = hex("3059301306072a8648ce3d020106082a811ccf5501822d034200\
         0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020\
         ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13");
    let secret = hex("e2e7a4cba9e00116191b2c7518b8cad65205454aeb319a5aacd66f69ede9b8cb");
    assert_eq!(*pair.agree(&peer).unwrap(), secret);
}
