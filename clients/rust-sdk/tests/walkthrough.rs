//! The life of a key with the AWS SDK for Rust, unmodified.
//!
//! Needs the binary: `KEYREEVE_BIN`, or `target/release/keyreeve` of the repository.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use aws_credential_types::Credentials;
use aws_sdk_kms::Client;
use aws_sdk_kms::config::{BehaviorVersion, Region};
use aws_sdk_kms::error::ProvideErrorMetadata;
use aws_sdk_kms::operation::describe_key::DescribeKeyError;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{DataKeySpec, KeyState};

const ID: &str = "AKIAEXAMPLEEXAMPLE00";
const SECRET: &str = "an-example-secret-long-enough";

struct Server {
    child: Child,
    endpoint: String,
    _data: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        let binary = std::env::var_os("KEYREEVE_BIN").map(PathBuf::from).unwrap_or_else(|| {
            PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/release/keyreeve")
        });
        let data = tempfile::tempdir().unwrap();
        let mut child = Command::new(&binary)
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data.path())
            .env("KEYREEVE_ROOT_ACCESS_KEY_ID", ID)
            .env("KEYREEVE_ROOT_SECRET_ACCESS_KEY", SECRET)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", binary.display()));
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let endpoint = line.trim().strip_prefix("listening on ").unwrap().to_owned();
        Self { child, endpoint, _data: data }
    }

    fn client(&self) -> Client {
        let credentials = Credentials::new(ID, SECRET, None, None, "test");
        let config = aws_sdk_kms::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(&self.endpoint)
            .credentials_provider(credentials)
            .build();
        Client::from_conf(config)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[tokio::test]
async fn a_key_lives_from_creation_to_scheduled_deletion() {
    let server = Server::start();
    let kms = server.client();
    let created = kms.create_key().description("from Rust").send().await.unwrap();
    let metadata = created.key_metadata().unwrap();
    let (id, arn) = (metadata.key_id(), metadata.arn().unwrap());

    kms.create_alias().alias_name("alias/rust").target_key_id(id).send().await.unwrap();
    let sealed = kms
        .encrypt()
        .key_id("alias/rust")
        .plaintext(Blob::new("hello"))
        .encryption_context("purpose", "demo")
        .send()
        .await
        .unwrap();
    assert_eq!(sealed.key_id(), Some(arn));
    let opened = kms
        .decrypt()
        .ciphertext_blob(sealed.ciphertext_blob().unwrap().clone())
        .encryption_context("purpose", "demo")
        .send()
        .await
        .unwrap();
    assert_eq!(opened.plaintext().unwrap().as_ref(), b"hello");

    let wrong = kms.decrypt().ciphertext_blob(sealed.ciphertext_blob().unwrap().clone()).send().await;
    assert!(wrong.unwrap_err().into_service_error().is_invalid_ciphertext_exception());

    let data_key = kms.generate_data_key().key_id(id).key_spec(DataKeySpec::Aes256).send().await.unwrap();
    assert_eq!(data_key.plaintext().unwrap().as_ref().len(), 32);

    let deletion = kms.schedule_key_deletion().key_id(id).pending_window_in_days(7).send().await.unwrap();
    assert_eq!(deletion.key_state(), Some(&KeyState::PendingDeletion));
}

#[tokio::test]
async fn errors_are_typed() {
    let server = Server::start();
    let kms = server.client();
    let missing = kms.describe_key().key_id("1234abcd-12ab-34cd-56ef-1234567890ab").send().await;
    let error = missing.unwrap_err().into_service_error();
    assert!(matches!(error, DescribeKeyError::NotFoundException(_)), "{error:?}");
    assert_eq!(
        error.message(),
        Some("Key 'arn:aws:kms:us-east-1:000000000000:key/1234abcd-12ab-34cd-56ef-1234567890ab' does not exist")
    );
}

#[tokio::test]
async fn pages_are_followed_to_the_end() {
    let server = Server::start();
    let kms = server.client();
    for _ in 0..5 {
        kms.create_key().send().await.unwrap();
    }
    let mut pages = kms.list_keys().into_paginator().page_size(2).send();
    let mut keys = 0;
    while let Some(page) = pages.next().await {
        keys += page.unwrap().keys().len();
    }
    assert_eq!(keys, 5);
}
