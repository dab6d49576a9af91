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
    kms = var.endpoint
    sts = var.endpoint
    iam = var.endpoint
  }
}

provider "aws" {
  alias                   = "away"
  region                  = "eu-west-1"
  skip_metadata_api_check = true
  endpoints {
    kms = var.endpoint
    sts = var.endpoint
    iam = var.endpoint
  }
}

resource "aws_kms_key" "primary" {
  description             = "primary, may ${var.action}"
  multi_region            = true
  enable_key_rotation     = true
  deletion_window_in_days = 7
}

resource "aws_kms_replica_key" "replica" {
  provider                = aws.away
  description             = "replica"
  primary_key_arn         = aws_kms_key.primary.arn
  deletion_window_in_days = 7
  tags                    = { Name = "replica" }
}

output "primary" {
  value = aws_kms_key.primary.arn
}

output "replica" {
  value = aws_kms_replica_key.replica.arn
}
