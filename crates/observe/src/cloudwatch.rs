//! CloudWatch: the metrics of KMS keys, and alarms over them.
//!
//! Metrics are read through [`MetricSource`](crate::metric::MetricSource); alarms are records of the store. An alarm is judged by a
//! pure function ([`evaluation`]) over the points of its metric; what it is to do when its state changes stands in its record
//! until somebody has done it. Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/Welcome.html>.

mod alarm_input;
mod alarm_output;
mod alarms;
mod answer;
mod dispatch;
pub mod evaluation;
mod expression;
mod gate;
mod history;
mod list_metrics;
mod math;
mod metric_data;
mod notification;
mod queries;
mod reason;
mod refusal;
pub mod rounds;
mod series;
mod statistics;
mod tags;
mod transition;

pub use answer::{CloudWatchAnswer, CloudWatchOperation, CloudWatchRequest, answer};
pub use refusal::Refusal;
