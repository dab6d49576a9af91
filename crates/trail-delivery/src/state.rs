//! What the delivery knows.
//!
//! INVARIANT: the state on disk is replaced as a whole. Every file in `staged` was prepared durably before.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use keyreeve_observe::digest::LogFile;
use keyreeve_observe::layout::TrailNames;
use serde::{Deserialize, Serialize};

use crate::files;

pub(crate) const STATE_FILE: &str = "state.json";
const VERSION: u32 = 1;

/// What the delivery knows.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct State {
    version: u32,
    /// The name of the trail.
    pub(crate) trail: String,
    /// The bucket that its files seem to be in.
    pub(crate) bucket: String,
    /// What the names of the files begin with.
    #[serde(default)]
    pub(crate) prefix: String,
    /// Its home Region.
    pub(crate) home: String,
    /// Seconds between digests.
    pub(crate) digest_seconds: u64,
    /// Since when events are delivered, in milliseconds.
    pub(crate) started: i64,
    /// How far each stream was read.
    pub(crate) streams: BTreeMap<String, StreamState>,
    /// The chains of digests, by account and Region.
    pub(crate) chains: BTreeMap<String, ChainState>,
    /// The names of files that are prepared and may not be in their places yet.
    pub(crate) staged: Vec<String>,
    /// The delivery began anew: the files that are there are of the one before, and go.
    #[serde(default, skip_serializing_if = "is_not")]
    pub(crate) is_anew: bool,
}

fn is_not(is: &bool) -> bool {
    !is
}

/// How far a stream was read.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StreamState {
    /// The number of the segment.
    pub(crate) segment: u32,
    /// Bytes of it.
    pub(crate) offset: u64,
    /// The sequence number of the last line.
    pub(crate) sequence: u64,
    /// Its hash.
    pub(crate) hash: String,
    /// The number of the first segment that retention has left; 1 where it has removed none.
    #[serde(default = "one")]
    pub(crate) first: u32,
    /// Changes that were announced and not completed yet, by event id.
    pub(crate) opened: BTreeMap<String, Opened>,
}

fn one() -> u32 {
    1
}

/// The line that announces a change.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Opened {
    pub(crate) segment: u32,
    pub(crate) offset: u64,
    pub(crate) json: String,
}

/// The digests of an account in a Region.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChainState {
    /// Where the newest digest ends, in milliseconds; before the first one, where it is to begin.
    pub(crate) end: i64,
    /// The newest digest.
    pub(crate) previous: Option<Previous>,
    /// The log files since then.
    pub(crate) logs: Vec<LogFile>,
    /// When the newest log file was delivered, in milliseconds.
    pub(crate) delivered: Option<i64>,
}

/// A digest, as the next one has it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Previous {
    pub(crate) object: String,
    pub(crate) hash: String,
    pub(crate) signature: String,
}

impl State {
    /// The state before anything was delivered.
    pub(crate) fn new(names: &TrailNames, started: i64) -> Self {
        Self {
            version: VERSION,
            trail: names.trail.clone(),
            bucket: names.bucket.clone(),
            prefix: names.prefix.clone(),
            home: names.home.as_str().to_owned(),
            digest_seconds: 0,
            started,
            streams: BTreeMap::new(),
            chains: BTreeMap::new(),
            staged: Vec::new(),
            is_anew: false,
        }
    }

    /// The state in `directory`, if there is one.
    pub(crate) fn read(directory: &Path) -> io::Result<Option<Self>> {
        let Some(bytes) = files::read(&directory.join(STATE_FILE))? else { return Ok(None) };
        let state: Self = serde_json::from_slice(&bytes).map_err(io::Error::other)?;
        match state.version {
            VERSION => Ok(Some(state)),
            other => {
                Err(io::Error::other(format!("version {other} of the state of the delivery is not known")))
            }
        }
    }

    /// Puts the state in place of the one before.
    pub(crate) fn write(&self, directory: &Path) -> io::Result<()> {
        files::replace(&directory.join(STATE_FILE), &serde_json::to_vec(self).map_err(io::Error::other)?)
    }
}
