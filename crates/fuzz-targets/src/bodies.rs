//! Bodies of requests, as far as they are decoded without a service.

use keyreeve_wire::cloudwatch::{
    DeleteAlarmsInput, DescribeAlarmHistoryInput, DescribeAlarmsInput, GetMetricDataInput,
    GetMetricStatisticsInput, ListMetricsInput, Operation, PutMetricAlarmInput, SetAlarmStateInput,
    TagResourceInput,
};
use keyreeve_wire::query::{Api, Form, QueryInput, write_error};
use keyreeve_wire::rpc::Protocol;
use keyreeve_wire::{iam, json, model, sts};

/// Any bytes as the body of any operation of KMS: an input, or an error that can be written.
pub fn json_input(data: &[u8]) {
    let Some((which, body)) = data.split_first() else { return };
    let model = model();
    let Some(operation) = model.get(usize::from(*which) % model.len()) else { return };
    let checked = (operation.check)(body);
    if json::parse(body).is_err() {
        assert!(body.is_empty() || checked.is_err(), "what is no JSON was taken");
    }
    if let Err(error) = checked {
        let mut answer = Vec::new();
        keyreeve_wire::ApiError::from(error).write_body(&mut answer);
        assert!(answer.starts_with(b"{\"__type\":"));
        assert!(serde_json::from_slice::<serde_json::Value>(&answer).is_ok(), "an error is JSON");
    }
}

/// Any bytes as the form of any operation of IAM and STS: an input, or an error that can be written.
pub fn query_form(data: &[u8]) {
    let Some((which, body)) = data.split_first() else { return };
    let iam = iam::Operation::ALL.iter().map(|operation| operation.model());
    let models: Vec<_> = iam.chain(sts::Operation::ALL.iter().map(|operation| operation.model())).collect();
    let Some(model) = models.get(usize::from(*which) % models.len()) else { return };
    if let Err(error) = Form::parse(body).and_then(|form| (model.check)(&form)) {
        let mut answer = Vec::new();
        write_error(&error, "namespace", "id", &mut answer);
        assert!(answer.ends_with(b"</ErrorResponse>") && core::str::from_utf8(&answer).is_ok());
    }
}

/// Any bytes as the body of an operation of CloudWatch in any of its protocols: an input, or an error that can be written.
pub fn cloudwatch_body(data: &[u8]) {
    let Some((which, body)) = data.split_first() else { return };
    let protocol = match which % 3 {
        0 => Protocol::Cbor,
        1 => Protocol::Json,
        _ => Protocol::Query,
    };
    match which / 3 % 9 {
        0 => read::<DescribeAlarmHistoryInput>(protocol, body),
        1 => read::<GetMetricDataInput>(protocol, body),
        2 => read::<GetMetricStatisticsInput>(protocol, body),
        3 => read::<PutMetricAlarmInput>(protocol, body),
        4 => read::<TagResourceInput>(protocol, body),
        5 => read::<DeleteAlarmsInput>(protocol, body),
        6 => read::<DescribeAlarmsInput>(protocol, body),
        7 => read::<ListMetricsInput>(protocol, body),
        _ => read::<SetAlarmStateInput>(protocol, body),
    }
}

fn read<I: QueryInput>(protocol: Protocol, body: &[u8]) {
    let mut out = Vec::new();
    match protocol.decode::<I>(body) {
        Ok(input) => {
            input.write_parameters(&mut out);
            let noted = serde_json::from_slice::<serde_json::Value>(&out);
            assert!(noted.is_ok(), "what the trail has of a request is JSON");
        }
        Err(error) => protocol.write_error(&error, ("service", Operation::NAMESPACE), "id", &mut out),
    }
    assert!(!out.is_empty());
}
