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
  skip_metadata_api_check = true
  endpoints {
    kms = var.endpoint
    sts = var.endpoint
    iam = var.endpoint
  }
}

data "aws_caller_identity" "me" {}

data "aws_iam_policy_document" "use" {
  statement {
    actions   = [var.action]
    resources = ["*"]
    condition {
      test     = "StringEquals"
      variable = "aws:username"
      values   = ["&{aws:PrincipalTag/who}"]
    }
  }
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "AWS"
      identifiers = [aws_iam_user.user.arn]
    }
  }
}

resource "aws_iam_user" "user" {
  name                 = "terraform"
  path                 = "/terraform/"
  tags                 = { action = replace(var.action, ":", "/") }
  permissions_boundary = aws_iam_policy.policy.arn
  force_destroy        = true
}

resource "aws_iam_access_key" "key" {
  user = aws_iam_user.user.name
}

resource "aws_iam_policy" "policy" {
  name   = "terraform"
  policy = data.aws_iam_policy_document.use.json
  tags   = { a = "b" }
}

resource "aws_iam_user_policy" "own" {
  name   = "own"
  user   = aws_iam_user.user.name
  policy = data.aws_iam_policy_document.use.json
}

resource "aws_iam_user_policy_attachment" "read" {
  user       = aws_iam_user.user.name
  policy_arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
}

resource "aws_iam_group" "group" {
  name = "terraform"
}

resource "aws_iam_group_membership" "members" {
  name  = "members"
  group = aws_iam_group.group.name
  users = [aws_iam_user.user.name]
}

resource "aws_iam_group_policy_attachment" "group" {
  group      = aws_iam_group.group.name
  policy_arn = aws_iam_policy.policy.arn
}

resource "aws_iam_role" "role" {
  name               = "terraform"
  assume_role_policy = data.aws_iam_policy_document.trust.json
  description        = "for ${var.action}"
  tags               = { a = "b" }
}

resource "aws_iam_role_policy" "own" {
  role   = aws_iam_role.role.id
  policy = data.aws_iam_policy_document.use.json
}

resource "aws_iam_role_policy_attachment" "role" {
  role       = aws_iam_role.role.name
  policy_arn = aws_iam_policy.policy.arn
}

resource "aws_iam_openid_connect_provider" "provider" {
  url             = "https://token.example.com"
  client_id_list  = [var.action]
  thumbprint_list = ["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]
}

output "account" {
  value = data.aws_caller_identity.me.account_id
}
