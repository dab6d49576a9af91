//! The operations of CloudWatch and the request and answer of each.

use keyreeve_domain::Timestamp;

use crate::cloudwatch::shapes::{
    self, AlarmType, ComparisonOperator, HistoryItemType, RecentlyActive, ScanBy, StandardUnit, StateValue,
    Statistic,
};
use crate::cloudwatch::structures::{
    ActionConfiguration, AlarmHistoryItem, CompositeAlarm, Datapoint, Dimension, DimensionFilter,
    EvaluationCriteria, EvaluationWindow, LabelOptions, MessageData, Metric, MetricAlarm, MetricDataQuery,
    MetricDataResult, Tag, WarmUpConfiguration,
};
use crate::query::declare::{query_operation, query_operations};

query_operations! { "AmazonCloudWatch" "2010-08-01" "http://monitoring.amazonaws.com/doc/2010-08-01/"
times with_milliseconds {
    DeleteAlarms: writes = DeleteAlarmsInput,
    DescribeAlarmHistory: reads = DescribeAlarmHistoryInput,
    DescribeAlarms: reads = DescribeAlarmsInput,
    DescribeAlarmsForMetric: reads = DescribeAlarmsForMetricInput,
    DisableAlarmActions: writes = DisableAlarmActionsInput,
    EnableAlarmActions: writes = EnableAlarmActionsInput,
    GetMetricData: reads = GetMetricDataInput,
    GetMetricStatistics: reads = GetMetricStatisticsInput,
    ListMetrics: reads = ListMetricsInput,
    ListTagsForResource: reads = ListTagsForResourceInput,
    PutMetricAlarm: writes = PutMetricAlarmInput,
    SetAlarmState: writes = SetAlarmStateInput,
    TagResource: writes = TagResourceInput,
    UntagResource: writes = UntagResourceInput,
} }

query_operation! { DeleteAlarms {
    input DeleteAlarmsInput {
        alarm_names: required Vec<String> = "AlarmNames" ALARM_NAMES,
    }
    errors [ResourceNotFound, ResourceConflict]
} }

query_operation! { DescribeAlarmHistory {
    input DescribeAlarmHistoryInput {
        alarm_name: optional String = "AlarmName" ALARM_NAME,
        alarm_contributor_id: optional String = "AlarmContributorId" CONTRIBUTOR_ID,
        alarm_types: default Vec<AlarmType> = "AlarmTypes" ALARM_TYPES,
        history_item_type: optional HistoryItemType = "HistoryItemType" HISTORY_ITEM_TYPE,
        start_date: optional Timestamp = "StartDate" TIMESTAMP,
        end_date: optional Timestamp = "EndDate" TIMESTAMP,
        max_records: optional u32 = "MaxRecords" MAX_RECORDS,
        next_token: optional String = "NextToken" NEXT_TOKEN,
        scan_by: optional ScanBy = "ScanBy" SCAN_BY,
    }
    output DescribeAlarmHistoryOutput {
        alarm_history_items: present Vec<AlarmHistoryItem> = "AlarmHistoryItems" ALARM_HISTORY_ITEMS,
        next_token: optional String = "NextToken" NEXT_TOKEN,
    }
    errors [InvalidNextToken]
} }

query_operation! { DescribeAlarms {
    input DescribeAlarmsInput {
        alarm_names: optional Vec<String> = "AlarmNames" ALARM_NAMES,
        alarm_name_prefix: optional String = "AlarmNamePrefix" ALARM_NAME_PREFIX,
        alarm_types: default Vec<AlarmType> = "AlarmTypes" ALARM_TYPES,
        children_of_alarm_name: optional String = "ChildrenOfAlarmName" ALARM_NAME,
        parents_of_alarm_name: optional String = "ParentsOfAlarmName" ALARM_NAME,
        state_value: optional StateValue = "StateValue" STATE_VALUE,
        action_prefix: optional String = "ActionPrefix" ACTION_PREFIX,
        max_records: optional u32 = "MaxRecords" MAX_RECORDS,
        next_token: optional String = "NextToken" NEXT_TOKEN,
    }
    output DescribeAlarmsOutput {
        composite_alarms: present Vec<CompositeAlarm> = "CompositeAlarms" COMPOSITE_ALARMS,
        metric_alarms: present Vec<MetricAlarm> = "MetricAlarms" METRIC_ALARMS,
        next_token: optional String = "NextToken" NEXT_TOKEN,
    }
    errors [InvalidNextToken]
} }

query_operation! { DescribeAlarmsForMetric {
    input DescribeAlarmsForMetricInput {
        metric_name: required String = "MetricName" METRIC_NAME,
        namespace: required String = "Namespace" NAMESPACE,
        statistic: optional Statistic = "Statistic" STATISTIC,
        extended_statistic: optional String = "ExtendedStatistic" EXTENDED_STATISTIC,
        dimensions: default Vec<Dimension> = "Dimensions" DIMENSIONS,
        period: optional u32 = "Period" PERIOD,
        unit: optional StandardUnit = "Unit" STANDARD_UNIT,
    }
    output DescribeAlarmsForMetricOutput {
        metric_alarms: present Vec<MetricAlarm> = "MetricAlarms" METRIC_ALARMS,
    }
    errors []
} }

query_operation! { DisableAlarmActions {
    input DisableAlarmActionsInput {
        alarm_names: required Vec<String> = "AlarmNames" ALARM_NAMES,
    }
    errors []
} }

query_operation! { EnableAlarmActions {
    input EnableAlarmActionsInput {
        alarm_names: required Vec<String> = "AlarmNames" ALARM_NAMES,
    }
    errors []
} }

query_operation! { GetMetricData {
    input GetMetricDataInput {
        metric_data_queries: required Vec<MetricDataQuery> = "MetricDataQueries" METRIC_DATA_QUERIES,
        start_time: required Timestamp = "StartTime" TIMESTAMP,
        end_time: required Timestamp = "EndTime" TIMESTAMP,
        next_token: optional String = "NextToken" NEXT_TOKEN,
        scan_by: optional ScanBy = "ScanBy" SCAN_BY,
        max_datapoints: optional u32 = "MaxDatapoints" GET_METRIC_DATA_MAX_DATAPOINTS,
        label_options: optional LabelOptions = "LabelOptions" LABEL_OPTIONS,
    }
    output GetMetricDataOutput {
        metric_data_results: present Vec<MetricDataResult> = "MetricDataResults" METRIC_DATA_RESULTS,
        next_token: optional String = "NextToken" NEXT_TOKEN,
        messages: present Vec<MessageData> = "Messages" METRIC_DATA_RESULT_MESSAGES,
    }
    errors [InvalidNextToken]
} }

query_operation! { GetMetricStatistics {
    input GetMetricStatisticsInput {
        namespace: required String = "Namespace" NAMESPACE,
        metric_name: required String = "MetricName" METRIC_NAME,
        dimensions: default Vec<Dimension> = "Dimensions" DIMENSIONS,
        start_time: required Timestamp = "StartTime" TIMESTAMP,
        end_time: required Timestamp = "EndTime" TIMESTAMP,
        period: required u32 = "Period" PERIOD,
        statistics: optional Vec<Statistic> = "Statistics" STATISTICS,
        extended_statistics: optional Vec<String> = "ExtendedStatistics" EXTENDED_STATISTICS,
        unit: optional StandardUnit = "Unit" STANDARD_UNIT,
    }
    output GetMetricStatisticsOutput {
        label: present String = "Label" METRIC_LABEL,
        datapoints: present Vec<Datapoint> = "Datapoints" DATAPOINTS,
    }
    errors [InvalidParameterValueException, MissingRequiredParameter, InvalidParameterCombinationException, InternalService]
} }

query_operation! { ListMetrics {
    input ListMetricsInput {
        namespace: optional String = "Namespace" NAMESPACE,
        metric_name: optional String = "MetricName" METRIC_NAME,
        dimensions: default Vec<DimensionFilter> = "Dimensions" DIMENSION_FILTERS,
        next_token: optional String = "NextToken" NEXT_TOKEN,
        recently_active: optional RecentlyActive = "RecentlyActive" RECENTLY_ACTIVE,
        include_linked_accounts: optional bool = "IncludeLinkedAccounts" INCLUDE_LINKED_ACCOUNTS,
        owning_account: optional String = "OwningAccount" ACCOUNT_ID,
    }
    output ListMetricsOutput {
        metrics: present Vec<Metric> = "Metrics" METRICS,
        next_token: optional String = "NextToken" NEXT_TOKEN,
        owning_accounts: optional Vec<String> = "OwningAccounts" OWNING_ACCOUNTS,
    }
    errors [InternalService, InvalidParameterValueException]
} }

query_operation! { ListTagsForResource {
    input ListTagsForResourceInput {
        resource_arn: required String = "ResourceARN" AMAZON_RESOURCE_NAME,
    }
    output ListTagsForResourceOutput {
        tags: present Vec<Tag> = "Tags" TAG_LIST,
    }
    errors [InvalidParameterValueException, ResourceNotFoundException, InternalService]
} }

query_operation! { PutMetricAlarm {
    input PutMetricAlarmInput {
        alarm_name: required String = "AlarmName" ALARM_NAME,
        alarm_description: optional String = "AlarmDescription" ALARM_DESCRIPTION,
        actions_enabled: optional bool = "ActionsEnabled" ACTIONS_ENABLED,
        ok_actions: default Vec<String> = "OKActions" RESOURCE_LIST,
        alarm_actions: default Vec<String> = "AlarmActions" RESOURCE_LIST,
        insufficient_data_actions: default Vec<String> = "InsufficientDataActions" RESOURCE_LIST,
        metric_name: optional String = "MetricName" METRIC_NAME,
        namespace: optional String = "Namespace" NAMESPACE,
        statistic: optional Statistic = "Statistic" STATISTIC,
        extended_statistic: optional String = "ExtendedStatistic" EXTENDED_STATISTIC,
        dimensions: default Vec<Dimension> = "Dimensions" DIMENSIONS,
        period: optional u32 = "Period" PERIOD,
        unit: optional StandardUnit = "Unit" STANDARD_UNIT,
        evaluation_periods: optional u32 = "EvaluationPeriods" EVALUATION_PERIODS,
        datapoints_to_alarm: optional u32 = "DatapointsToAlarm" DATAPOINTS_TO_ALARM,
        threshold: optional f64 = "Threshold" THRESHOLD,
        comparison_operator: optional ComparisonOperator = "ComparisonOperator" COMPARISON_OPERATOR,
        treat_missing_data: optional String = "TreatMissingData" TREAT_MISSING_DATA,
        evaluate_low_sample_count_percentile: optional String = "EvaluateLowSampleCountPercentile" EVALUATE_LOW_SAMPLE_COUNT_PERCENTILE,
        metrics: default Vec<MetricDataQuery> = "Metrics" METRIC_DATA_QUERIES,
        tags: default Vec<Tag> = "Tags" TAG_LIST,
        threshold_metric_id: optional String = "ThresholdMetricId" METRIC_ID,
        evaluation_window: optional EvaluationWindow = "EvaluationWindow" EVALUATION_WINDOW,
        warm_up_configuration: optional WarmUpConfiguration = "WarmUpConfiguration" WARM_UP_CONFIGURATION,
        evaluation_criteria: optional EvaluationCriteria = "EvaluationCriteria" EVALUATION_CRITERIA,
        evaluation_interval: optional u32 = "EvaluationInterval" EVALUATION_INTERVAL,
        action_configuration: optional ActionConfiguration = "ActionConfiguration" ACTION_CONFIGURATION,
    }
    errors [LimitExceededFault]
} }

query_operation! { SetAlarmState {
    input SetAlarmStateInput {
        alarm_name: required String = "AlarmName" ALARM_NAME,
        state_value: required StateValue = "StateValue" STATE_VALUE,
        state_reason: required String = "StateReason" STATE_REASON,
        state_reason_data: optional String = "StateReasonData" STATE_REASON_DATA,
    }
    errors [ResourceNotFound, InvalidFormat]
} }

query_operation! { TagResource {
    input TagResourceInput {
        resource_arn: required String = "ResourceARN" AMAZON_RESOURCE_NAME,
        tags: required Vec<Tag> = "Tags" TAG_LIST,
    }
    output TagResourceOutput {}
    errors [InvalidParameterValueException, ResourceNotFoundException, ConcurrentModificationException, InternalService, Conflict]
} }

query_operation! { UntagResource {
    input UntagResourceInput {
        resource_arn: required String = "ResourceARN" AMAZON_RESOURCE_NAME,
        tag_keys: required Vec<String> = "TagKeys" TAG_KEY_LIST,
    }
    output UntagResourceOutput {}
    errors [InvalidParameterValueException, ResourceNotFoundException, ConcurrentModificationException, InternalService, Conflict]
} }
