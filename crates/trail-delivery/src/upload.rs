//! From the folder into a bucket.
//!
//! Whatever goes wrong, the files stay in the folder and wait: what did not arrive is put again, under the same name and with the
//! same bytes, and what is there already is left.

use std::io;
use std::sync::Arc;

use keyreeve_domain::Timestamp;
use keyreeve_observe::destination::{Destination, Parcel, Put, PutError};
use keyreeve_observe::sealed_file::{DataKeyError, DataKeys, SealedFile};

use crate::folder::{Folder, read_object};

/// The files of the folder could not be put into the bucket, or not all of them. They wait.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// The operating system refused.
    #[error("the files that are to go into the bucket cannot be read: {0}")]
    Io(#[from] io::Error),
    /// A file was taken out of the folder before it was put into the bucket.
    #[error("`{0}` is not in the folder any more, and was not put into the bucket")]
    Gone(String),
    /// A file that is encrypted cannot be opened: in the bucket, the service of the bucket encrypts it.
    #[error("`{key}`: {error}")]
    Sealed {
        /// Its name.
        key: String,
        /// Why.
        error: DataKeyError,
    },
    /// The bucket has none of them, or not the next one.
    #[error("the bucket: {0}")]
    Place(String),
    /// Another object has the name of this file.
    #[error("the bucket has another object with the name `{0}`")]
    Taken(String),
}

/// What one look has come to.
#[derive(Debug, Default)]
pub struct Round {
    /// Files that the bucket has from now on.
    pub put: u64,
    /// Files that it had already.
    pub already: u64,
    /// Files that wait still.
    pub waiting: u64,
    /// Since when the first of them waits.
    pub since: Option<Timestamp>,
    /// What was wrong with the last one that could not be put.
    pub error: Option<UploadError>,
}

/// Puts the files of a folder into a bucket. There is one for a folder.
pub struct Uploader {
    folder: Arc<Folder>,
    destination: Arc<dyn Destination>,
    data_keys: Option<Arc<dyn DataKeys>>,
}

impl Uploader {
    /// From `folder`, which keeps an outbox, to `destination`. What is encrypted is opened with `data_keys`.
    #[must_use]
    pub fn new(
        folder: Arc<Folder>,
        destination: Arc<dyn Destination>,
        data_keys: Option<Arc<dyn DataKeys>>,
    ) -> Self {
        Self { folder, destination, data_keys }
    }

    /// Puts what waits into the bucket, one file after the other, each seen to be there before the next. Calls `moved` after each
    /// one. A file with which alone something is wrong keeps no other from its place; a bucket with which something is
    /// wrong is not asked again in this round. May be dropped anywhere.
    pub async fn round(&self, moved: &mut dyn FnMut(&Round)) -> Round {
        let mut round = Round::default();
        if let Err(error) = self.put_all(&mut round, moved).await {
            round.error = Some(error);
        }
        round
    }

    async fn put_all(&self, round: &mut Round, moved: &mut dyn FnMut(&Round)) -> Result<(), UploadError> {
        let Some(outbox) = self.folder.outbox() else { return Ok(()) };
        let waiting = outbox.waiting()?;
        round.waiting = u64::try_from(waiting.len()).unwrap_or(u64::MAX);
        let mut oldest = None;
        for file in &waiting {
            oldest = outbox.since(file)?.into_iter().chain(oldest).min();
        }
        round.since = oldest;
        for file in &waiting {
            let Some(parcel) = self.parcel(&file.key)? else {
                round.error = Some(UploadError::Gone(file.key.clone()));
                continue;
            };
            match self.destination.put(parcel).await {
                Ok(Put::Now) => round.put += 1,
                Ok(Put::Already) => round.already += 1,
                Err(PutError::Taken) => {
                    round.error = Some(UploadError::Taken(file.key.clone()));
                    continue;
                }
                Err(PutError::Place(reason)) => return Err(UploadError::Place(reason)),
            }
            // ORDER: after the bucket has said so.
            outbox.forget(file)?;
            round.waiting = round.waiting.saturating_sub(1);
            if round.waiting == 0 {
                round.since = None;
            }
            moved(round);
        }
        Ok(())
    }

    fn parcel(&self, key: &str) -> Result<Option<Parcel>, UploadError> {
        let Some(object) = read_object(self.folder.root(), key)? else { return Ok(None) };
        let content = match SealedFile::read(&object.content) {
            None => object.content,
            Some(file) => {
                self.opened(key, &file).map_err(|error| UploadError::Sealed { key: key.to_owned(), error })?
            }
        };
        Ok(Some(Parcel { key: key.to_owned(), metadata: object.metadata, content }))
    }

    fn opened(&self, key: &str, file: &SealedFile<'_>) -> Result<Vec<u8>, DataKeyError> {
        let refused = |why: &str| DataKeyError(why.to_owned());
        let keys = self
            .data_keys
            .as_ref()
            .ok_or_else(|| refused("it is encrypted, and [audit] kms_key is not set"))?;
        if !file.is_of(key) {
            return Err(refused("what lies there is another file"));
        }
        file.open(&keys.open(file)?).map_err(|error| DataKeyError(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::future::{pending, ready};
    use std::path::Path;
    use std::task::{Context, Poll, Waker};

    use keyreeve_observe::destination::PutReply;
    use parking_lot::Mutex;
    use proptest::prelude::*;

    use super::*;
    use crate::index::Index;
    use crate::lines::Ends;

    /// What a bucket does with the next parcel.
    #[derive(Clone, Copy, Debug)]
    enum Does {
        Takes,
        /// It has the parcel, and says nothing before the process ends.
        TakesAndHangs,
        /// It has the parcel, and says that it has not.
        TakesAndFails,
        Fails,
        Hangs,
    }

    /// A bucket that does what it is told, and takes all when it is told nothing.
    #[derive(Default)]
    struct Fake {
        script: Mutex<Vec<Does>>,
        objects: Mutex<BTreeMap<String, Vec<u8>>>,
        /// In the order in which they came.
        order: Mutex<Vec<String>>,
    }

    impl Fake {
        fn take(&self, parcel: Parcel) -> Result<Put, PutError> {
            let mut objects = self.objects.lock();
            match objects.get(&parcel.key) {
                Some(held) if *held == parcel.content => Ok(Put::Already),
                Some(_) => Err(PutError::Taken),
                None => {
                    self.order.lock().push(parcel.key.clone());
                    objects.insert(parcel.key, parcel.content);
                    Ok(Put::Now)
                }
            }
        }
    }

    impl Destination for Fake {
        fn put(&self, parcel: Parcel) -> PutReply<'_> {
            let failed = || Err(PutError::Place("down".to_owned()));
            match self.script.lock().pop().unwrap_or(Does::Takes) {
                Does::Takes => Box::pin(ready(self.take(parcel))),
                Does::TakesAndHangs => {
                    self.take(parcel).unwrap();
                    Box::pin(pending())
                }
                Does::TakesAndFails => {
                    self.take(parcel).unwrap();
                    Box::pin(ready(failed()))
                }
                Does::Fails => Box::pin(ready(failed())),
                Does::Hangs => Box::pin(pending()),
            }
        }
    }

    const KEYS: [&str; 5] = [
        "AWSLogs/1/CloudTrail-Digest/r/2026/01/02/1_CloudTrail-Digest_r_t_r_20260102T040000Z.json.gz",
        "AWSLogs/1/CloudTrail/r/2026/01/02/1_CloudTrail_r_20260102T0305Z_a.json.gz",
        "AWSLogs/1/CloudTrail/r/2026/01/02/1_CloudTrail_r_20260102T0310Z_b.json.gz",
        "AWSLogs/2/CloudTrail-Digest/r/2026/01/02/2_CloudTrail-Digest_r_t_r_20260102T040000Z.json.gz",
        "AWSLogs/2/CloudTrail/r/2026/01/02/2_CloudTrail_r_20260102T0305Z_c.json.gz",
    ];

    fn fill(root: &Path) {
        for key in KEYS {
            let path = root.join(key);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, key).unwrap();
        }
    }

    /// Looks once, in a process of its own: one that hangs is killed.
    fn look(root: &Path, fake: &Arc<Fake>) -> Option<Round> {
        let index = Arc::new(Index::new(&root.join("none"), Ends::new()));
        let folder = Folder::open(root, index).unwrap().for_bucket(Some(("one", ""))).unwrap();
        let uploader = Uploader::new(Arc::new(folder), Arc::clone(fake) as _, None);
        let mut moved = |_: &Round| {};
        let mut round = Box::pin(uploader.round(&mut moved));
        match round.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(round) => Some(round),
            Poll::Pending => None,
        }
    }

    fn does() -> impl Strategy<Value = Does> {
        prop_oneof![
            Just(Does::Takes),
            Just(Does::TakesAndHangs),
            Just(Does::TakesAndFails),
            Just(Does::Fails),
            Just(Does::Hangs)
        ]
    }

    proptest! {
        // Every look waits for the disk.
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn whatever_a_bucket_does_and_whenever_the_process_ends_it_gets_everything_once(
            script in proptest::collection::vec(does(), 0..24)
        ) {
            let root = tempfile::tempdir().unwrap();
            fill(root.path());
            let fake = Arc::new(Fake { script: Mutex::new(script.clone()), ..Fake::default() });
            let mut looks = 0;
            while look(root.path(), &fake).is_none_or(|round| round.waiting > 0) {
                looks += 1;
                prop_assert!(looks <= script.len(), "it does not come to an end");
            }
            let order = fake.order.lock().clone();
            prop_assert_eq!(order.len(), KEYS.len());
            prop_assert!(order.is_sorted_by_key(|key| key.contains("Digest")), "a digest came before its log files");
            for key in KEYS {
                let objects = fake.objects.lock();
                prop_assert_eq!(objects.get(key).map(Vec::as_slice), Some(key.as_bytes()));
            }
        }
    }

    #[test]
    fn a_file_that_cannot_be_put_waits_and_keeps_no_other_from_its_place() {
        let root = tempfile::tempdir().unwrap();
        fill(root.path());
        let fake = Arc::new(Fake::default());
        fake.objects.lock().insert(KEYS[0].to_owned(), b"another".to_vec());
        let round = look(root.path(), &fake).unwrap();
        assert_eq!((round.put, round.already, round.waiting), (4, 0, 1));
        assert!(matches!(round.error, Some(UploadError::Taken(key)) if key == KEYS[0]));
        fake.objects.lock().clear();
        fs::remove_file(root.path().join(KEYS[0])).unwrap();
        let round = look(root.path(), &fake).unwrap();
        assert_eq!((round.put, round.waiting), (0, 1));
        assert!(matches!(round.error, Some(UploadError::Gone(key)) if key == KEYS[0]));
        fs::write(root.path().join(KEYS[0]), KEYS[0]).unwrap();
        let round = look(root.path(), &fake).unwrap();
        assert_eq!((round.put, round.waiting, round.since), (1, 0, None));
        assert!(round.error.is_none());
    }
}
