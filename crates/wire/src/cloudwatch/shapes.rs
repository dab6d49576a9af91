//! Every shape that a request or an answer uses, with its limits.

use crate::cloudwatch::{pattern, structures};
use crate::query::declare::query_enumerations;
use crate::shape::{Kind, Shape};
use crate::shapes::shapes;

shapes! {
    ACCOUNT_ID = "AccountId" Kind::Text, limits(1, 255);
    ACTIONS_ENABLED = "ActionsEnabled" Kind::Boolean;
    ACTIONS_SUPPRESSED_REASON = "ActionsSuppressedReason" Kind::Text, limits(0, 1024);
    ACTION_CONFIGURATION = "ActionConfiguration" Kind::Structure(structures::ActionConfiguration::MEMBERS);
    ACTION_PREFIX = "ActionPrefix" Kind::Text, limits(1, 1024);
    ALARM_ARN = "AlarmArn" Kind::Text, limits(1, 1600);
    ALARM_DESCRIPTION = "AlarmDescription" Kind::Text, limits(0, 1024);
    ALARM_HISTORY_ITEM = "AlarmHistoryItem" Kind::Structure(structures::AlarmHistoryItem::MEMBERS);
    ALARM_HISTORY_ITEMS = "AlarmHistoryItems" Kind::List(&ALARM_HISTORY_ITEM);
    ALARM_NAME = "AlarmName" Kind::Text, limits(1, 255);
    ALARM_NAMES = "AlarmNames" Kind::List(&ALARM_NAME), max_of(100);
    ALARM_NAME_PREFIX = "AlarmNamePrefix" Kind::Text, limits(1, 255);
    ALARM_PROMQL_CRITERIA = "AlarmPromQLCriteria" Kind::Structure(structures::AlarmPromQLCriteria::MEMBERS);
    ALARM_RULE = "AlarmRule" Kind::Text, limits(1, 10240);
    ALARM_TAGS_PROPAGATION = "AlarmTagsPropagation" Kind::Structure(structures::AlarmTagsPropagation::MEMBERS);
    ALARM_TAGS_PROPAGATION_ENABLED = "AlarmTagsPropagationEnabled" Kind::Boolean;
    ALARM_TAGS_PROPAGATION_TAG_KEY = "AlarmTagsPropagationTagKey" Kind::Text, limits(1, 128);
    ALARM_TAGS_PROPAGATION_TAG_KEYS = "AlarmTagsPropagationTagKeys" Kind::List(&ALARM_TAGS_PROPAGATION_TAG_KEY), limits(1, 50);
    ALARM_TYPES = "AlarmTypes" Kind::List(&ALARM_TYPE);
    AMAZON_RESOURCE_NAME = "AmazonResourceName" Kind::Text, limits(1, 1024);
    COMPOSITE_ALARM = "CompositeAlarm" Kind::Structure(structures::CompositeAlarm::MEMBERS);
    COMPOSITE_ALARMS = "CompositeAlarms" Kind::List(&COMPOSITE_ALARM);
    CONTRIBUTOR_ATTRIBUTES = "ContributorAttributes" Kind::Map, limits(0, 150);
    CONTRIBUTOR_ID = "ContributorId" Kind::Text, limits(1, 16);
    DATAPOINT = "Datapoint" Kind::Structure(structures::Datapoint::MEMBERS);
    DATAPOINTS = "Datapoints" Kind::List(&DATAPOINT);
    DATAPOINTS_TO_ALARM = "DatapointsToAlarm" Kind::Integer, min_of(1);
    DATAPOINT_VALUE = "DatapointValue" Kind::Double;
    DATAPOINT_VALUES = "DatapointValues" Kind::List(&DATAPOINT_VALUE);
    DATAPOINT_VALUE_MAP = "DatapointValueMap" Kind::Map;
    DIMENSION = "Dimension" Kind::Structure(structures::Dimension::MEMBERS);
    DIMENSIONS = "Dimensions" Kind::List(&DIMENSION), max_of(30);
    DIMENSION_FILTER = "DimensionFilter" Kind::Structure(structures::DimensionFilter::MEMBERS);
    DIMENSION_FILTERS = "DimensionFilters" Kind::List(&DIMENSION_FILTER), max_of(10);
    DIMENSION_NAME = "DimensionName" Kind::Text, limits(1, 255);
    DIMENSION_VALUE = "DimensionValue" Kind::Text, limits(1, 1024);
    EVALUATE_LOW_SAMPLE_COUNT_PERCENTILE = "EvaluateLowSampleCountPercentile" Kind::Text, limits(1, 255);
    EVALUATION_CRITERIA = "EvaluationCriteria" Kind::Structure(structures::EvaluationCriteria::MEMBERS);
    EVALUATION_INTERVAL = "EvaluationInterval" Kind::Integer, limits(10, 3600);
    EVALUATION_PERIODS = "EvaluationPeriods" Kind::Integer, min_of(1);
    EVALUATION_WINDOW = "EvaluationWindow" Kind::Structure(structures::EvaluationWindow::MEMBERS);
    EXTENDED_STATISTIC = "ExtendedStatistic" Kind::Text;
    EXTENDED_STATISTICS = "ExtendedStatistics" Kind::List(&EXTENDED_STATISTIC), limits(1, 10);
    GET_METRIC_DATA_LABEL_TIMEZONE = "GetMetricDataLabelTimezone" Kind::Text;
    GET_METRIC_DATA_MAX_DATAPOINTS = "GetMetricDataMaxDatapoints" Kind::Integer;
    HISTORY_DATA = "HistoryData" Kind::Text, limits(1, 4095);
    HISTORY_SUMMARY = "HistorySummary" Kind::Text, limits(1, 255);
    INCLUDE_LINKED_ACCOUNTS = "IncludeLinkedAccounts" Kind::Boolean;
    LABEL_OPTIONS = "LabelOptions" Kind::Structure(structures::LabelOptions::MEMBERS);
    MAX_RECORDS = "MaxRecords" Kind::Integer, limits(1, 100);
    MESSAGE_DATA = "MessageData" Kind::Structure(structures::MessageData::MEMBERS);
    MESSAGE_DATA_CODE = "MessageDataCode" Kind::Text;
    MESSAGE_DATA_VALUE = "MessageDataValue" Kind::Text;
    METRIC = "Metric" Kind::Structure(structures::Metric::MEMBERS);
    METRICS = "Metrics" Kind::List(&METRIC);
    METRIC_ALARM = "MetricAlarm" Kind::Structure(structures::MetricAlarm::MEMBERS);
    METRIC_ALARMS = "MetricAlarms" Kind::List(&METRIC_ALARM);
    METRIC_DATA_QUERIES = "MetricDataQueries" Kind::List(&METRIC_DATA_QUERY);
    METRIC_DATA_QUERY = "MetricDataQuery" Kind::Structure(structures::MetricDataQuery::MEMBERS);
    METRIC_DATA_RESULT = "MetricDataResult" Kind::Structure(structures::MetricDataResult::MEMBERS);
    METRIC_DATA_RESULTS = "MetricDataResults" Kind::List(&METRIC_DATA_RESULT);
    METRIC_DATA_RESULT_MESSAGES = "MetricDataResultMessages" Kind::List(&MESSAGE_DATA);
    METRIC_EXPRESSION = "MetricExpression" Kind::Text, limits(1, 2048);
    METRIC_ID = "MetricId" Kind::Text, limits(1, 255);
    METRIC_LABEL = "MetricLabel" Kind::Text;
    METRIC_NAME = "MetricName" Kind::Text, limits(1, 255);
    METRIC_STAT = "MetricStat" Kind::Structure(structures::MetricStat::MEMBERS);
    NAMESPACE = "Namespace" Kind::Text, limits(1, 255), pattern_of(pattern::NAMESPACE);
    NEXT_TOKEN = "NextToken" Kind::Text;
    ONLY_START_EVALUATING_AFTER_WARM_UP_PERIOD_ENDS = "OnlyStartEvaluatingAfterWarmUpPeriodEnds" Kind::Boolean;
    OWNING_ACCOUNTS = "OwningAccounts" Kind::List(&ACCOUNT_ID);
    PENDING_PERIOD = "PendingPeriod" Kind::Integer, limits(0, 86400);
    PERIOD = "Period" Kind::Integer, min_of(1);
    QUERY = "Query" Kind::Text, limits(1, 10000);
    RECOVERY_PERIOD = "RecoveryPeriod" Kind::Integer, limits(0, 86400);
    RESOURCE_LIST = "ResourceList" Kind::List(&RESOURCE_NAME), max_of(5);
    RESOURCE_NAME = "ResourceName" Kind::Text, limits(1, 1024);
    RETURN_DATA = "ReturnData" Kind::Boolean;
    SLIDING_WINDOW = "SlidingWindow" Kind::Structure(structures::SlidingWindow::MEMBERS);
    STAT = "Stat" Kind::Text;
    STATE_REASON = "StateReason" Kind::Text, limits(0, 1023);
    STATE_REASON_DATA = "StateReasonData" Kind::Text, limits(0, 4000);
    STATISTICS = "Statistics" Kind::List(&STATISTIC), limits(1, 5);
    SUPPRESSOR_PERIOD = "SuppressorPeriod" Kind::Integer;
    TAG = "Tag" Kind::Structure(structures::Tag::MEMBERS);
    TAG_KEY = "TagKey" Kind::Text, limits(1, 128);
    TAG_KEY_LIST = "TagKeyList" Kind::List(&TAG_KEY);
    TAG_LIST = "TagList" Kind::List(&TAG);
    TAG_VALUE = "TagValue" Kind::Text, limits(0, 256);
    THRESHOLD = "Threshold" Kind::Double;
    TIMESTAMP = "Timestamp" Kind::Timestamp;
    TIMESTAMPS = "Timestamps" Kind::List(&TIMESTAMP);
    TIMEZONE = "Timezone" Kind::Text, limits(1, 50);
    TREAT_MISSING_DATA = "TreatMissingData" Kind::Text, limits(1, 255);
    WALL_CLOCK_WINDOW = "WallClockWindow" Kind::Structure(structures::WallClockWindow::MEMBERS);
    WARM_UP_CONFIGURATION = "WarmUpConfiguration" Kind::Structure(structures::WarmUpConfiguration::MEMBERS);
    WARM_UP_PERIOD_DURATION_IN_MINUTES = "WarmUpPeriodDurationInMinutes" Kind::Integer, limits(1, 2880);
}

query_enumerations! {
    /// What suppresses the actions of a composite alarm.
    ActionsSuppressedBy ACTIONS_SUPPRESSED_BY = "ActionsSuppressedBy" {
        WaitPeriod = "WaitPeriod", ExtensionPeriod = "ExtensionPeriod", Alarm = "Alarm",
    }
    /// A kind of alarm.
    AlarmType ALARM_TYPE = "AlarmType" {
        Composite = "CompositeAlarm", Metric = "MetricAlarm", Log = "LogAlarm",
    }
    /// How a value is compared with a threshold.
    ComparisonOperator COMPARISON_OPERATOR = "ComparisonOperator" {
        GreaterThanOrEqualToThreshold = "GreaterThanOrEqualToThreshold",
        GreaterThanThreshold = "GreaterThanThreshold",
        LessThanThreshold = "LessThanThreshold",
        LessThanOrEqualToThreshold = "LessThanOrEqualToThreshold",
        LessThanLowerOrGreaterThanUpperThreshold = "LessThanLowerOrGreaterThanUpperThreshold",
        LessThanLowerThreshold = "LessThanLowerThreshold",
        GreaterThanUpperThreshold = "GreaterThanUpperThreshold",
    }
    /// What kept an alarm from being evaluated.
    EvaluationState EVALUATION_STATE = "EvaluationState" {
        PartialData = "PARTIAL_DATA", Failure = "EVALUATION_FAILURE", Error = "EVALUATION_ERROR",
    }
    /// What an item of the history of an alarm tells.
    HistoryItemType HISTORY_ITEM_TYPE = "HistoryItemType" {
        ConfigurationUpdate = "ConfigurationUpdate",
        StateUpdate = "StateUpdate",
        Action = "Action",
        AlarmContributorStateUpdate = "AlarmContributorStateUpdate",
        AlarmContributorAction = "AlarmContributorAction",
    }
    /// Since when a metric must have had data.
    RecentlyActive RECENTLY_ACTIVE = "RecentlyActive" {
        ThreeHours = "PT3H",
    }
    /// An order.
    ScanBy SCAN_BY = "ScanBy" {
        TimestampDescending = "TimestampDescending", TimestampAscending = "TimestampAscending",
    }
    /// The unit of a metric.
    StandardUnit STANDARD_UNIT = "StandardUnit" {
        Seconds = "Seconds",
        Microseconds = "Microseconds",
        Milliseconds = "Milliseconds",
        Bytes = "Bytes",
        Kilobytes = "Kilobytes",
        Megabytes = "Megabytes",
        Gigabytes = "Gigabytes",
        Terabytes = "Terabytes",
        Bits = "Bits",
        Kilobits = "Kilobits",
        Megabits = "Megabits",
        Gigabits = "Gigabits",
        Terabits = "Terabits",
        Percent = "Percent",
        Count = "Count",
        BytesPerSecond = "Bytes/Second",
        KilobytesPerSecond = "Kilobytes/Second",
        MegabytesPerSecond = "Megabytes/Second",
        GigabytesPerSecond = "Gigabytes/Second",
        TerabytesPerSecond = "Terabytes/Second",
        BitsPerSecond = "Bits/Second",
        KilobitsPerSecond = "Kilobits/Second",
        MegabitsPerSecond = "Megabits/Second",
        GigabitsPerSecond = "Gigabits/Second",
        TerabitsPerSecond = "Terabits/Second",
        CountPerSecond = "Count/Second",
        None = "None",
    }
    /// The state of an alarm.
    StateValue STATE_VALUE = "StateValue" {
        InsufficientData = "INSUFFICIENT_DATA", Alarm = "ALARM", Ok = "OK",
    }
    /// A statistic of the values of a period.
    Statistic STATISTIC = "Statistic" {
        SampleCount = "SampleCount", Average = "Average", Sum = "Sum", Minimum = "Minimum", Maximum = "Maximum",
    }
    /// How complete a result is.
    StatusCode STATUS_CODE = "StatusCode" {
        Complete = "Complete", InternalError = "InternalError", PartialData = "PartialData", Forbidden = "Forbidden",
    }
}
