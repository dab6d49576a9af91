//! The change of the state of an alarm: what becomes of its record, what its history says, and what is to be done.

use keyreeve_core::alarm::{AlarmPastRecord, AlarmRecord, AlarmState, PendingAction};
use keyreeve_domain::{AccountId, Region};
use keyreeve_wire::cloudwatch::{HistoryItemType, StateValue};
use serde_json::{Value, json};

use super::history::{DATA_MOST, fitting};
use super::notification;

/// Actions that may wait for one alarm. The oldest gives way: what is told is the newest state.
const WAITING_MOST: usize = 25;

/// Puts an alarm into another state. What the history is told; nothing where the state stays.
pub(crate) fn enter(
    alarm: &mut AlarmRecord,
    state: AlarmState,
    place: (AccountId, Region),
) -> Option<AlarmPastRecord> {
    let before = core::mem::replace(&mut alarm.state, state);
    if before.value == alarm.state.value {
        alarm.state.since = before.since;
        return None;
    }
    let actions = match alarm.state.value {
        StateValue::Alarm => &alarm.alarm_actions,
        StateValue::InsufficientData => &alarm.insufficient_data_actions,
        StateValue::Ok => &alarm.ok_actions,
    };
    if alarm.actions_enabled && !actions.is_empty() {
        let subject = notification::subject(alarm, place.1);
        let message = notification::message(alarm, &before, place);
        let at = alarm.state.since;
        let pending = actions.iter().map(|arn| PendingAction {
            arn: arn.clone(),
            subject: subject.clone(),
            message: message.clone(),
            at,
        });
        let pending: Vec<_> = pending.collect();
        alarm.pending.extend(pending);
        let given_up = alarm.pending.len().saturating_sub(WAITING_MOST);
        alarm.pending.drain(..given_up);
    }
    Some(remembered(alarm, &before))
}

fn remembered(alarm: &AlarmRecord, before: &AlarmState) -> AlarmPastRecord {
    let whole =
        json!({ "version": "1.0", "oldState": state(before, true), "newState": state(&alarm.state, true) });
    let short =
        json!({ "version": "1.0", "oldState": state(before, false), "newState": state(&alarm.state, false) });
    let whole = whole.to_string();
    AlarmPastRecord {
        alarm: alarm.name.clone(),
        at: alarm.state.since,
        kind: HistoryItemType::StateUpdate,
        summary: format!("Alarm updated from {} to {}", before.value, alarm.state.value),
        data: fitting(whole, || short.to_string(), DATA_MOST),
    }
}

/// A state in the data of a history.
fn state(state: &AlarmState, with_data: bool) -> Value {
    let mut value = json!({ "stateValue": state.value.as_str(), "stateReason": state.reason });
    let data = state.reason_data.as_ref().filter(|_| with_data);
    let data = data.and_then(|data| serde_json::from_str::<Value>(data).ok());
    if let (Some(data), Some(members)) = (data, value.as_object_mut()) {
        members.insert("stateReasonData".to_owned(), data);
    }
    value
}
