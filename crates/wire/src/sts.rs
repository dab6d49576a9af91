//! AWS STS, service model 2011-06-15.

mod operation;
mod shapes;
mod structures;

pub use operation::*;
pub use structures::*;
