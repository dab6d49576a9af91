//! The series, as whoever counts and whoever reads sees them.

#[cfg(test)]
#[path = "suite/bounds.rs"]
mod bounds;
#[cfg(test)]
#[path = "suite/crashes.rs"]
mod crashes;
#[cfg(test)]
#[path = "suite/frozen.rs"]
mod frozen;
#[cfg(test)]
#[path = "suite/kept.rs"]
mod kept;
#[cfg(test)]
#[path = "suite/model.rs"]
mod model;
#[cfg(test)]
#[path = "suite/speed.rs"]
mod speed;
