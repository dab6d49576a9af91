//! What a test mode adds to an endpoint: a moved clock, a reset, and access keys that stand for accounts.
//!
//! An endpoint without one knows nothing of it: its paths are answered as any unknown path is.

use core::future::Future;
use core::pin::Pin;

use bytes::Bytes;
use http::{Method, StatusCode};
use keyreeve_core::bracket::Trail;
use keyreeve_core::vault::VaultError;
use tokio::sync::RwLock;

/// The paths of a test mode begin with this.
pub const TEST_MODE_PATH: &str = "/_keyreeve/";

/// What the methods of a test mode answer with; bound to the thread that asked.
pub type TestModeFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// A test mode.
pub trait TestMode: Send + Sync + 'static {
    /// Held for reading while an operation runs, for writing while the state as a whole changes.
    fn running(&self) -> &RwLock<()>;

    /// Makes the account that `access_key_id` stands for, with its root user's access key, where it stands for one and
    /// there is none yet; whether it stands for one.
    fn admit<'a>(&'a self, access_key_id: &'a str) -> TestModeFuture<'a, Result<bool, VaultError>>;

    /// Answers a request to a path below [`TEST_MODE_PATH`].
    fn answer<'a>(
        &'a self,
        request: TestModeRequest,
        trail: &'a dyn Trail,
    ) -> TestModeFuture<'a, TestModeAnswer>;
}

/// A request to the test mode.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TestModeRequest {
    /// The method.
    pub method: Method,
    /// The path, whole.
    pub path: String,
    /// Whether a page in a browser sent it.
    pub from_page: bool,
    /// The body.
    pub body: Bytes,
}

/// Its answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TestModeAnswer {
    /// The status.
    pub status: StatusCode,
    /// The methods that the path has, where the request was of another.
    pub allow: Option<&'static str>,
    /// The body, JSON.
    pub body: Vec<u8>,
}
