//! New RSA keys, some of them made before they are asked for.
//!
//! An RSA key takes up to seconds to make. Nothing is made before the first key of a size is asked for; from then on a few
//! of that size are kept ready, wiped when the service ends. Whoever asks while none is ready waits in turn, at most
//! [`MOST_WAITING`] at once and each at most as long as [`Offload::patience`] says.

use std::collections::VecDeque;
use std::sync::Arc;

use keyreeve_crypto::asymmetric::MakeMaterialError;
use keyreeve_crypto::key::KeyMaterial;
use keyreeve_domain::spec::KeySpec;
use parking_lot::Mutex;

use crate::offload::{self, FullError, Lane, Offload, Sender};

/// Requests that wait for a key of one size at once.
pub const MOST_WAITING: usize = 64;
/// Keys of one size that are being made at once.
const MOST_IN_HAND: usize = 2;

/// Makes the material of a key.
pub type Maker = Arc<dyn Fn(KeySpec) -> Result<KeyMaterial, MakeMaterialError> + Send + Sync>;

/// No key can be had.
#[derive(Debug, thiserror::Error)]
pub enum StockError {
    /// Too many wait already.
    #[error(transparent)]
    Full(#[from] FullError),
    /// The service ends.
    #[error("the service is ending")]
    Lost,
    /// The key could not be made.
    #[error(transparent)]
    Make(#[from] MakeMaterialError),
    /// None was ready in time.
    #[error("no key was ready in time")]
    Slow,
}

/// The stock of one process.
pub(crate) struct Stock {
    shelves: [Arc<Shelf>; 3],
    offload: Arc<dyn Offload>,
}

/// The keys of one size.
struct Shelf {
    spec: KeySpec,
    /// Keys that are to be ready.
    size: usize,
    make: Maker,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    ready: Vec<KeyMaterial>,
    waiting: VecDeque<Sender<Result<KeyMaterial, MakeMaterialError>>>,
    in_hand: usize,
}

impl Stock {
    /// A stock of `size` keys of each size.
    pub(crate) fn new(size: usize, make: &Maker, offload: Arc<dyn Offload>) -> Self {
        let shelf = |spec| Arc::new(Shelf { spec, size, make: Arc::clone(make), state: Mutex::default() });
        Self { shelves: [KeySpec::Rsa2048, KeySpec::Rsa3072, KeySpec::Rsa4096].map(shelf), offload }
    }

    /// A key of `spec`, nobody else's; `None` where there is no stock of that spec.
    pub(crate) async fn take(&self, spec: KeySpec) -> Option<Result<KeyMaterial, StockError>> {
        let shelf = self.shelves.iter().find(|shelf| shelf.spec == spec)?;
        let receiver = {
            let mut state = shelf.state.lock();
            match state.ready.pop() {
                Some(ready) => Ok(ready),
                None => {
                    state.waiting.retain(Sender::is_awaited);
                    if state.waiting.len() >= MOST_WAITING {
                        return Some(Err(FullError.into()));
                    }
                    let (sender, receiver) = offload::channel();
                    state.waiting.push_back(sender);
                    Err(receiver)
                }
            }
        };
        Shelf::restock(shelf, &self.offload);
        Some(match receiver {
            Ok(ready) => Ok(ready),
            Err(receiver) => match offload::before(receiver, self.offload.patience()).await {
                Some(Some(made)) => made.map_err(StockError::from),
                Some(None) => Err(StockError::Lost),
                None => Err(StockError::Slow),
            },
        })
    }
}

impl Shelf {
    /// Sees to it that as many keys are in hand as are missing.
    fn restock(shelf: &Arc<Self>, offload: &Arc<dyn Offload>) {
        while shelf.begin() {
            let (own, again) = (Arc::clone(shelf), Arc::clone(offload));
            let job = move || {
                // A key that cannot be made is tried again only for somebody who waits.
                if own.finish((own.make)(own.spec)) {
                    Self::restock(&own, &again);
                }
            };
            if offload.run(Lane::RsaKeys, Box::new(job)).is_err() {
                shelf.give_up();
                return;
            }
        }
    }

    /// Notes one more key in hand, where one is missing.
    fn begin(&self) -> bool {
        let mut state = self.state.lock();
        let wanted = state.waiting.len() + self.size.saturating_sub(state.ready.len());
        let missing = state.in_hand < wanted.min(MOST_IN_HAND);
        state.in_hand += usize::from(missing);
        missing
    }

    /// Gives a key to whoever waits longest, or keeps it; whether to go on.
    fn finish(&self, made: Result<KeyMaterial, MakeMaterialError>) -> bool {
        let mut state = self.state.lock();
        state.in_hand = state.in_hand.saturating_sub(1);
        let mut made = made;
        let whole = made.is_ok();
        while let Some(first) = state.waiting.pop_front() {
            match first.send(made) {
                Ok(()) => return whole || !state.waiting.is_empty(),
                Err(back) => made = back,
            }
        }
        if let Ok(made) = made {
            state.ready.push(made);
        }
        whole
    }

    /// The lane takes no more: whoever waits while nothing is in hand would wait for nothing.
    fn give_up(&self) {
        let mut state = self.state.lock();
        state.in_hand = state.in_hand.saturating_sub(1);
        if state.in_hand == 0 {
            state.waiting.clear();
        }
    }
}
