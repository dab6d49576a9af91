//! From an operation and a body to its handler.

use keyreeve_core::Cx;
use keyreeve_wire::cloudwatch::Operation;
use keyreeve_wire::query::QueryInput;
use keyreeve_wire::rpc::Protocol;

use super::refusal::Refusal;
use super::{alarms, history, list_metrics, metric_data, statistics, tags};
use crate::metric::MetricSource;

/// Decodes a body, runs the handler of `operation` and writes its answer to `out`.
pub(super) async fn dispatch(
    cx: &mut Cx<'_>,
    metrics: &dyn MetricSource,
    operation: Operation,
    (protocol, body): (Protocol, &[u8]),
    out: &mut Vec<u8>,
) -> Result<(), Refusal> {
    let id = cx.request_id;
    macro_rules! answering {
        ($handler:path $(, $metrics:ident)?) => {{
            let input = decode(cx, protocol, body)?;
            let output = $handler(cx, $($metrics,)? input).await?;
            protocol.write(&output, id.as_str(), out);
        }};
    }
    macro_rules! silent {
        ($handler:path) => {{
            let input = decode(cx, protocol, body)?;
            $handler(cx, input).await?;
            protocol.write_empty(operation, id.as_str(), out);
        }};
    }
    match operation {
        Operation::DeleteAlarms => silent!(alarms::delete_alarms),
        Operation::DescribeAlarmHistory => answering!(history::describe_alarm_history),
        Operation::DescribeAlarms => answering!(alarms::describe_alarms),
        Operation::DescribeAlarmsForMetric => answering!(alarms::describe_alarms_for_metric),
        Operation::DisableAlarmActions => silent!(alarms::disable_alarm_actions),
        Operation::EnableAlarmActions => silent!(alarms::enable_alarm_actions),
        Operation::GetMetricData => answering!(metric_data::get_metric_data, metrics),
        Operation::GetMetricStatistics => answering!(statistics::get_metric_statistics, metrics),
        Operation::ListMetrics => answering!(list_metrics::list_metrics, metrics),
        Operation::ListTagsForResource => answering!(tags::list_tags_for_resource),
        Operation::PutMetricAlarm => silent!(alarms::put_metric_alarm),
        Operation::SetAlarmState => silent!(alarms::set_alarm_state),
        Operation::TagResource => answering!(tags::tag_resource),
        Operation::UntagResource => answering!(tags::untag_resource),
    }
    Ok(())
}

fn decode<I: QueryInput>(cx: &mut Cx<'_>, protocol: Protocol, body: &[u8]) -> Result<I, Refusal> {
    let input: I = protocol.decode(body)?;
    let parameters = &mut cx.notes.request_parameters;
    input.write_parameters(parameters);
    // A request without parameters has `null`.
    if parameters == b"{}" {
        parameters.clear();
    }
    Ok(input)
}
