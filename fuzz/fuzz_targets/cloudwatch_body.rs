//! Any bytes as the body of any operation of CloudWatch in any of its protocols: an input or an error that can be written, never a
//! panic.
#![no_main]

use keyreeve_wire::cloudwatch::{
    DescribeAlarmHistoryInput, GetMetricDataInput, GetMetricStatisticsInput, Operation, PutMetricAlarmInput,
    TagResourceInput,
};
use keyreeve_wire::query::{Api, QueryInput};
use keyreeve_wire::rpc::Protocol;
use libfuzzer_sys::fuzz_target;

fn read<I: QueryInput>(protocol: Protocol, body: &[u8]) {
    let mut out = Vec::new();
    match protocol.decode::<I>(body) {
        Ok(input) => input.write_parameters(&mut out),
        Err(error) => protocol.write_error(&error, ("service", Operation::NAMESPACE), "id", &mut out),
    }
    assert!(!out.is_empty());
}

fuzz_target!(|data: &[u8]| {
    let Some((which, body)) = data.split_first() else { return };
    let protocol = match which % 3 {
        0 => Protocol::Cbor,
        1 => Protocol::Json,
        _ => Protocol::Query,
    };
    match which / 3 % 5 {
        0 => read::<DescribeAlarmHistoryInput>(protocol, body),
        1 => read::<GetMetricDataInput>(protocol, body),
        2 => read::<GetMetricStatisticsInput>(protocol, body),
        3 => read::<PutMetricAlarmInput>(protocol, body),
        _ => read::<TagResourceInput>(protocol, body),
    }
});
