//! Structures inside requests and answers.
//!
//! Members of a structure that is written stand in the order of the service model.

use std::collections::BTreeMap;

use keyreeve_domain::Timestamp;

use crate::cloudwatch::shapes::{
    self, ActionsSuppressedBy, AlarmType, ComparisonOperator, EvaluationState, HistoryItemType, StandardUnit,
    StateValue, Statistic, StatusCode,
};
use crate::query::declare::query_structure;

query_structure! {
    /// What is done with an alarm's actions beside running them.
    shared ActionConfiguration = "ActionConfiguration" {
        alarm_tags_propagation: optional AlarmTagsPropagation = "AlarmTagsPropagation" ALARM_TAGS_PROPAGATION,
    }
}

query_structure! {
    /// An entry of the history of an alarm.
    output AlarmHistoryItem = "AlarmHistoryItem" {
        alarm_name: present String = "AlarmName" ALARM_NAME,
        alarm_contributor_id: optional String = "AlarmContributorId" CONTRIBUTOR_ID,
        alarm_type: present AlarmType = "AlarmType" ALARM_TYPE,
        timestamp: present Timestamp = "Timestamp" TIMESTAMP,
        history_item_type: present HistoryItemType = "HistoryItemType" HISTORY_ITEM_TYPE,
        history_summary: present String = "HistorySummary" HISTORY_SUMMARY,
        history_data: present String = "HistoryData" HISTORY_DATA,
        alarm_contributor_attributes: optional BTreeMap<String, String> = "AlarmContributorAttributes" CONTRIBUTOR_ATTRIBUTES,
    }
}

query_structure! {
    /// An alarm of a query in PromQL.
    shared AlarmPromQLCriteria = "AlarmPromQLCriteria" {
        query: required String = "Query" QUERY,
        pending_period: optional u32 = "PendingPeriod" PENDING_PERIOD,
        recovery_period: optional u32 = "RecoveryPeriod" RECOVERY_PERIOD,
    }
}

query_structure! {
    /// Which tags of an alarm go with what its actions send.
    shared AlarmTagsPropagation = "AlarmTagsPropagation" {
        enabled: required bool = "Enabled" ALARM_TAGS_PROPAGATION_ENABLED,
        included_tag_keys: default Vec<String> = "IncludedTagKeys" ALARM_TAGS_PROPAGATION_TAG_KEYS,
        excluded_tag_keys: default Vec<String> = "ExcludedTagKeys" ALARM_TAGS_PROPAGATION_TAG_KEYS,
    }
}

query_structure! {
    /// An alarm of the states of other alarms.
    output CompositeAlarm = "CompositeAlarm" {
        actions_enabled: present bool = "ActionsEnabled" ACTIONS_ENABLED,
        alarm_actions: present Vec<String> = "AlarmActions" RESOURCE_LIST,
        alarm_arn: present String = "AlarmArn" ALARM_ARN,
        alarm_configuration_updated_timestamp: present Timestamp = "AlarmConfigurationUpdatedTimestamp" TIMESTAMP,
        alarm_description: optional String = "AlarmDescription" ALARM_DESCRIPTION,
        alarm_name: present String = "AlarmName" ALARM_NAME,
        alarm_rule: present String = "AlarmRule" ALARM_RULE,
        insufficient_data_actions: present Vec<String> = "InsufficientDataActions" RESOURCE_LIST,
        ok_actions: present Vec<String> = "OKActions" RESOURCE_LIST,
        state_reason: present String = "StateReason" STATE_REASON,
        state_reason_data: optional String = "StateReasonData" STATE_REASON_DATA,
        state_updated_timestamp: present Timestamp = "StateUpdatedTimestamp" TIMESTAMP,
        state_value: present StateValue = "StateValue" STATE_VALUE,
        state_transitioned_timestamp: present Timestamp = "StateTransitionedTimestamp" TIMESTAMP,
        actions_suppressed_by: optional ActionsSuppressedBy = "ActionsSuppressedBy" ACTIONS_SUPPRESSED_BY,
        actions_suppressed_reason: optional String = "ActionsSuppressedReason" ACTIONS_SUPPRESSED_REASON,
        actions_suppressor: optional String = "ActionsSuppressor" ALARM_ARN,
        actions_suppressor_wait_period: optional u32 = "ActionsSuppressorWaitPeriod" SUPPRESSOR_PERIOD,
        actions_suppressor_extension_period: optional u32 = "ActionsSuppressorExtensionPeriod" SUPPRESSOR_PERIOD,
        action_configuration: optional ActionConfiguration = "ActionConfiguration" ACTION_CONFIGURATION,
    }
}

query_structure! {
    /// The statistics of one period.
    #[derive(Clone, Debug, PartialEq)]
    output Datapoint = "Datapoint" {
        timestamp: present Timestamp = "Timestamp" TIMESTAMP,
        sample_count: optional f64 = "SampleCount" DATAPOINT_VALUE,
        average: optional f64 = "Average" DATAPOINT_VALUE,
        sum: optional f64 = "Sum" DATAPOINT_VALUE,
        minimum: optional f64 = "Minimum" DATAPOINT_VALUE,
        maximum: optional f64 = "Maximum" DATAPOINT_VALUE,
        unit: present StandardUnit = "Unit" STANDARD_UNIT,
        extended_statistics: optional BTreeMap<String, f64> = "ExtendedStatistics" DATAPOINT_VALUE_MAP,
    }
}

query_structure! {
    /// A name and a value that tell a metric from others.
    #[derive(Hash, Ord, PartialOrd)]
    shared Dimension = "Dimension" {
        name: required String = "Name" DIMENSION_NAME,
        value: required String = "Value" DIMENSION_VALUE,
    }
}

query_structure! {
    /// The name, and maybe the value, of a dimension that a metric must have.
    input DimensionFilter = "DimensionFilter" {
        name: required String = "Name" DIMENSION_NAME,
        value: optional String = "Value" DIMENSION_VALUE,
    }
}

query_structure! {
    /// What is evaluated instead of a metric.
    shared EvaluationCriteria = "EvaluationCriteria" {
        prom_ql_criteria: optional AlarmPromQLCriteria = "PromQLCriteria" ALARM_PROMQL_CRITERIA,
    }
}

query_structure! {
    /// Which periods are evaluated.
    shared EvaluationWindow = "EvaluationWindow" {
        wall_clock_window: optional WallClockWindow = "WallClockWindow" WALL_CLOCK_WINDOW,
        sliding_window: optional SlidingWindow = "SlidingWindow" SLIDING_WINDOW,
    }
}

query_structure! {
    /// How labels are written.
    input LabelOptions = "LabelOptions" {
        timezone: optional String = "Timezone" GET_METRIC_DATA_LABEL_TIMEZONE,
    }
}

query_structure! {
    /// Something that is said of a result.
    output MessageData = "MessageData" {
        code: present String = "Code" MESSAGE_DATA_CODE,
        value: present String = "Value" MESSAGE_DATA_VALUE,
    }
}

query_structure! {
    /// A metric.
    shared Metric = "Metric" {
        namespace: optional String = "Namespace" NAMESPACE,
        metric_name: optional String = "MetricName" METRIC_NAME,
        dimensions: default Vec<Dimension> = "Dimensions" DIMENSIONS,
    }
}

query_structure! {
    /// An alarm of a metric, or of an expression over metrics.
    output MetricAlarm = "MetricAlarm" {
        alarm_name: present String = "AlarmName" ALARM_NAME,
        alarm_arn: present String = "AlarmArn" ALARM_ARN,
        alarm_description: optional String = "AlarmDescription" ALARM_DESCRIPTION,
        alarm_configuration_updated_timestamp: present Timestamp = "AlarmConfigurationUpdatedTimestamp" TIMESTAMP,
        actions_enabled: present bool = "ActionsEnabled" ACTIONS_ENABLED,
        ok_actions: present Vec<String> = "OKActions" RESOURCE_LIST,
        alarm_actions: present Vec<String> = "AlarmActions" RESOURCE_LIST,
        insufficient_data_actions: present Vec<String> = "InsufficientDataActions" RESOURCE_LIST,
        state_value: present StateValue = "StateValue" STATE_VALUE,
        state_reason: present String = "StateReason" STATE_REASON,
        state_reason_data: optional String = "StateReasonData" STATE_REASON_DATA,
        state_updated_timestamp: present Timestamp = "StateUpdatedTimestamp" TIMESTAMP,
        metric_name: optional String = "MetricName" METRIC_NAME,
        namespace: optional String = "Namespace" NAMESPACE,
        statistic: optional Statistic = "Statistic" STATISTIC,
        dimensions: present Vec<Dimension> = "Dimensions" DIMENSIONS,
        period: optional u32 = "Period" PERIOD,
        unit: optional StandardUnit = "Unit" STANDARD_UNIT,
        evaluation_periods: present u32 = "EvaluationPeriods" EVALUATION_PERIODS,
        threshold: optional f64 = "Threshold" THRESHOLD,
        comparison_operator: present ComparisonOperator = "ComparisonOperator" COMPARISON_OPERATOR,
        extended_statistic: optional String = "ExtendedStatistic" EXTENDED_STATISTIC,
        treat_missing_data: optional String = "TreatMissingData" TREAT_MISSING_DATA,
        evaluate_low_sample_count_percentile: optional String = "EvaluateLowSampleCountPercentile" EVALUATE_LOW_SAMPLE_COUNT_PERCENTILE,
        datapoints_to_alarm: optional u32 = "DatapointsToAlarm" DATAPOINTS_TO_ALARM,
        metrics: optional Vec<MetricDataQuery> = "Metrics" METRIC_DATA_QUERIES,
        threshold_metric_id: optional String = "ThresholdMetricId" METRIC_ID,
        evaluation_state: optional EvaluationState = "EvaluationState" EVALUATION_STATE,
        state_transitioned_timestamp: present Timestamp = "StateTransitionedTimestamp" TIMESTAMP,
        evaluation_window: optional EvaluationWindow = "EvaluationWindow" EVALUATION_WINDOW,
        warm_up_configuration: optional WarmUpConfiguration = "WarmUpConfiguration" WARM_UP_CONFIGURATION,
        evaluation_criteria: optional EvaluationCriteria = "EvaluationCriteria" EVALUATION_CRITERIA,
        evaluation_interval: optional u32 = "EvaluationInterval" EVALUATION_INTERVAL,
        action_configuration: optional ActionConfiguration = "ActionConfiguration" ACTION_CONFIGURATION,
    }
}

query_structure! {
    /// A metric that is read, or an expression over what is read.
    shared MetricDataQuery = "MetricDataQuery" {
        id: required String = "Id" METRIC_ID,
        metric_stat: optional MetricStat = "MetricStat" METRIC_STAT,
        expression: optional String = "Expression" METRIC_EXPRESSION,
        label: optional String = "Label" METRIC_LABEL,
        return_data: optional bool = "ReturnData" RETURN_DATA,
        period: optional u32 = "Period" PERIOD,
        account_id: optional String = "AccountId" ACCOUNT_ID,
    }
}

query_structure! {
    /// What was read for a query.
    output MetricDataResult = "MetricDataResult" {
        id: present String = "Id" METRIC_ID,
        label: present String = "Label" METRIC_LABEL,
        timestamps: present Vec<Timestamp> = "Timestamps" TIMESTAMPS,
        values: present Vec<f64> = "Values" DATAPOINT_VALUES,
        status_code: present StatusCode = "StatusCode" STATUS_CODE,
        messages: optional Vec<MessageData> = "Messages" METRIC_DATA_RESULT_MESSAGES,
    }
}

query_structure! {
    /// A statistic of a metric.
    shared MetricStat = "MetricStat" {
        metric: required Metric = "Metric" METRIC,
        period: required u32 = "Period" PERIOD,
        stat: required String = "Stat" STAT,
        unit: optional StandardUnit = "Unit" STANDARD_UNIT,
    }
}

query_structure! {
    /// Periods that end when the alarm is evaluated.
    shared SlidingWindow = "SlidingWindow" {}
}

query_structure! {
    /// A tag of an alarm.
    shared Tag = "Tag" {
        key: required String = "Key" TAG_KEY,
        value: required String = "Value" TAG_VALUE,
    }
}

query_structure! {
    /// Periods that begin where those of a calendar do.
    shared WallClockWindow = "WallClockWindow" {
        timezone: optional String = "Timezone" TIMEZONE,
    }
}

query_structure! {
    /// How long a new alarm waits.
    shared WarmUpConfiguration = "WarmUpConfiguration" {
        warm_up_period_duration_in_minutes: required u32 = "WarmUpPeriodDurationInMinutes" WARM_UP_PERIOD_DURATION_IN_MINUTES,
        only_start_evaluating_after_warm_up_period_ends: optional bool = "OnlyStartEvaluatingAfterWarmUpPeriodEnds" ONLY_START_EVALUATING_AFTER_WARM_UP_PERIOD_ENDS,
    }
}
