//! CloudWatch: metrics and alarms, version 2010-08-01.
//!
//! One declaration for three protocols: awsQuery, awsJson 1.0 and RPC v2 CBOR; see [`rpc`](crate::rpc).

mod operation;
mod pattern;
mod shapes;
mod structures;

pub use operation::*;
pub use shapes::{
    ActionsSuppressedBy, AlarmType, ComparisonOperator, EvaluationState, HistoryItemType, RecentlyActive,
    ScanBy, StandardUnit, StateValue, Statistic, StatusCode,
};
pub use structures::*;
