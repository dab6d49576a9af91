//! AWS IAM, service model 2010-05-08: what an installation needs of it.

mod operation;
pub(crate) mod pattern;
mod shapes;
mod structures;

pub use operation::*;
pub use shapes::*;
pub use structures::*;
