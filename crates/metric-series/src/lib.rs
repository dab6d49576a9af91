//! The embedded time series of metrics: a point a minute for fifteen days, every five minutes for 63 days, every hour for 455 days.
//!
//! - What was counted lies in the *head*, in memory, from the moment it is read or a second after it was counted. Once its minute is
//!   over it is in the *journal*; once its window of four hours is over it is in a *block*, a file that is never changed but by
//!   points that come late. Coarser blocks are made of finer ones.
//! - A killed process loses the minute that runs. What is torn or damaged is left out, with a line in the log: metrics are not the
//!   audit trail.
//! - Bounded: series by [`Options::most_series`], files by [`Options::most_bytes`], time by [`Options::keep_days`].
//!
//! Why not a store that exists: each minute touches every series that is in use, so in a B-tree such as redb's every point copies a
//! page, and what a point takes there is that of its key; the crates for time series are either one encoding of floating-point
//! numbers (`tsz`), which counters do not need, or databases with servers of their own.

mod block;
mod catalogue;
pub mod format;
mod identity;
mod journal;
mod keeping;
mod level;
mod medium;
mod points;
mod reading;
mod series;

pub use reading::Source;
pub use series::{Options, Series, Standing};
