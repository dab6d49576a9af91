terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "endpoint" {
  type = string
}

variable "action" {
  type = string
}

provider "aws" {
  region                  = "us-east-1"
  skip_metadata_api_check = true
  endpoints {
    kms        = var.endpoint
    sts        = var.endpoint
    cloudwatch = var.endpoint
  }
}

resource "aws_kms_key" "watched" {
  description             = "watched"
  deletion_window_in_days = 7
}

resource "aws_cloudwatch_metric_alarm" "usage" {
  alarm_name          = "terraform/usage"
  alarm_description   = "may ${var.action} & more"
  namespace           = "AWS/KMS"
  metric_name         = "KeyUsage"
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  threshold           = 0.5
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  dimensions          = { KeyId = aws_kms_key.watched.key_id }
  alarm_actions       = ["arn:aws:sns:us-east-1:000000000000:oncall"]
  tags                = { team = "keys" }
}

resource "aws_cloudwatch_metric_alarm" "failures" {
  alarm_name          = "terraform/failures"
  evaluation_periods  = 1
  threshold           = 5
  comparison_operator = "GreaterThanOrEqualToThreshold"

  metric_query {
    id          = "rate"
    expression  = "100 * failed / (failed + done)"
    label       = "failed"
    return_data = true
  }

  metric_query {
    id = "failed"
    metric {
      namespace   = "AWS/KMS"
      metric_name = "NumberOfRequestsFailed"
      period      = 60
      stat        = "Sum"
    }
  }

  metric_query {
    id = "done"
    metric {
      namespace   = "AWS/KMS"
      metric_name = "NumberOfRequestsSucceeded"
      period      = 60
      stat        = "Sum"
    }
  }
}
