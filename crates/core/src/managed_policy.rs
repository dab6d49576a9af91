//! The key policies of AWS managed keys: everybody in the account, through the service alone; the account may look at its key.
//!
//! Each service has written its own. Source: <https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-cmk> and the pages of the
//! services; policies of accounts that were published.

use keyreeve_domain::{AccountId, Region};

/// What a service has written for its key.
#[derive(Clone, Copy)]
struct Managed {
    /// The service, as in `alias/aws/SERVICE`.
    service: &'static str,
    id: &'static str,
    /// The service, as sentences of the policy name it.
    name: &'static str,
    /// The same in the second half of the sentence, where it has another there.
    to_use: Option<&'static str>,
    /// What the key protects, as its description says.
    protects: &'static str,
    /// What the service is called in names of hosts, as `kms:ViaService` has it.
    via: &'static str,
    /// Whether it is used through the service in any Region.
    any_region: bool,
    may: &'static [&'static str],
    /// Whether the account may revoke grants.
    revokes: bool,
    /// The sentence of a statement that lets the service itself look at the key.
    looks: Option<&'static str>,
}

const ENCRYPT: &str = "kms:Encrypt";
const DECRYPT: &str = "kms:Decrypt";
const RE_ENCRYPT: &str = "kms:ReEncrypt*";
const GENERATE: &str = "kms:GenerateDataKey*";
const CREATE_GRANT: &str = "kms:CreateGrant";
const LIST_GRANTS: &str = "kms:ListGrants";
const DESCRIBE: &str = "kms:DescribeKey";

const MOST: &[&str] = &[ENCRYPT, DECRYPT, RE_ENCRYPT, GENERATE, CREATE_GRANT, DESCRIBE];
const WITHOUT_GRANTS: &[&str] = &[ENCRYPT, DECRYPT, RE_ENCRYPT, GENERATE, DESCRIBE];
const WITH_LISTS: &[&str] = &[ENCRYPT, DECRYPT, RE_ENCRYPT, GENERATE, CREATE_GRANT, LIST_GRANTS, DESCRIBE];

/// A service of which nothing else is known.
const PLAIN: Managed = Managed {
    service: "",
    id: "",
    name: "",
    to_use: None,
    protects: "",
    via: "",
    any_region: false,
    may: MOST,
    revokes: true,
    looks: None,
};

/// The services whose policies are known.
const KNOWN: [Managed; 10] = [
    Managed {
        service: "dynamodb",
        id: "auto-dynamodb-3",
        name: "Amazon DynamoDB",
        protects: "DynamoDB data",
        via: "dynamodb",
        any_region: true,
        looks: Some("Allow DynamoDB to directly describe the key"),
        ..PLAIN
    },
    Managed { service: "ebs", id: "auto-ebs-2", name: "EBS", protects: "EBS volumes", via: "ec2", ..PLAIN },
    Managed {
        service: "es",
        id: "auto-es-2",
        name: "OpenSearch Service",
        protects: "Amazon OpenSearch Service (successor to Amazon Elasticsearch Service) data",
        via: "es",
        looks: Some("Allow OpenSearch service principals to describe the key directly"),
        ..PLAIN
    },
    Managed {
        service: "lambda",
        id: "auto-awslambda",
        name: "AWS Lambda",
        protects: "Lambda functions",
        via: "lambda",
        ..PLAIN
    },
    Managed {
        service: "rds",
        id: "auto-rds-2",
        name: "RDS",
        protects: "RDS database volumes",
        via: "rds",
        may: WITH_LISTS,
        ..PLAIN
    },
    Managed {
        service: "s3",
        id: "auto-s3-2",
        name: "S3",
        protects: "S3 objects",
        via: "s3",
        may: WITHOUT_GRANTS,
        revokes: false,
        ..PLAIN
    },
    Managed {
        service: SECRETS_MANAGER,
        id: "auto-secretsmanager-2",
        name: "AWS Secrets Manager",
        protects: "Secrets Manager data",
        via: SECRETS_MANAGER,
        may: &[ENCRYPT, DECRYPT, RE_ENCRYPT, CREATE_GRANT, DESCRIBE],
        ..PLAIN
    },
    Managed {
        service: "sns",
        id: "auto-sns-1",
        name: "SNS",
        protects: "SNS data",
        via: "sns",
        may: &[DECRYPT, GENERATE, CREATE_GRANT, LIST_GRANTS, DESCRIBE],
        ..PLAIN
    },
    Managed {
        service: "sqs",
        id: "auto-sqs-1",
        name: "Simple Queue Service (SQS)",
        to_use: Some("SQS"),
        protects: "SQS messages",
        via: "sqs",
        ..PLAIN
    },
    Managed {
        service: "ssm",
        id: "auto-ssm-1",
        name: "SSM",
        protects: "SSM parameters",
        via: "ssm",
        may: WITHOUT_GRANTS,
        revokes: false,
        ..PLAIN
    },
];

/// Secrets are replicated: its data keys may be for another Region.
const SECRETS_MANAGER: &str = "secretsmanager";

fn known(service: &str) -> Option<&'static Managed> {
    KNOWN.iter().find(|known| known.service == service)
}

/// The description of the AWS managed key of `service`.
#[must_use]
pub fn managed_description(service: &str) -> String {
    // AWS: unverified for services that are not among the known ones.
    let protects =
        known(service).map_or_else(|| format!("{service} data"), |known| known.protects.to_owned());
    format!("Default key that protects my {protects} when no other key is defined")
}

/// The key policy of the AWS managed key of `service`.
#[must_use]
pub fn managed_text(account: AccountId, region: Region, service: &str) -> String {
    let managed = known(service).copied().unwrap_or(PLAIN);
    // AWS: unverified for services that are not among the known ones.
    let own_id = format!("auto-{service}-2");
    let (id, name, via) = match managed.service {
        "" => (own_id.as_str(), service, service),
        _ => (managed.id, managed.name, managed.via),
    };
    let to_use = managed.to_use.unwrap_or(name);
    let through = format!(
        "Allow access through {name} for all principals in the account that are authorized to use {to_use}"
    );
    let caller = format!("\"kms:CallerAccount\" : \"{account}\"");
    let here = format!("\"kms:ViaService\" : \"{via}.{region}.amazonaws.com\"");
    let anywhere = format!("\"kms:ViaService\" : \"{via}.*.amazonaws.com\"");
    let everybody = "\"AWS\" : \"*\"";
    let in_any_region = condition(&[("StringEquals", &[&caller]), ("StringLike", &[&anywhere])]);
    let may = list(managed.may);
    let mut statements = vec![match managed.any_region {
        true => statement(&through, everybody, &may, &in_any_region),
        false => statement(&through, everybody, &may, &condition(&[("StringEquals", &[&caller, &here])])),
    }];
    if service == SECRETS_MANAGER {
        statements.push(statement(&through, everybody, &format!("\"{GENERATE}\""), &in_any_region));
    }
    let root = format!("\"AWS\" : \"arn:{}:iam::{account}:root\"", region.partition());
    let look = ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"];
    let (all, without) = (list(&look), list(look.get(..3).unwrap_or_default()));
    let actions = if managed.revokes { &all } else { &without };
    statements.push(statement("Allow direct access to key metadata to the account", &root, actions, ""));
    if let Some(sid) = managed.looks {
        let itself = format!("\"Service\" : \"{via}.amazonaws.com\"");
        statements.push(statement(sid, &itself, &without, ""));
    }
    format!(
        "{{\n  \"Version\" : \"2012-10-17\",\n  \"Id\" : \"{id}\",\n  \"Statement\" : [ {} ]\n}}",
        statements.join(", ")
    )
}

fn statement(sid: &str, principal: &str, actions: &str, condition: &str) -> String {
    format!(
        "{{\n    \"Sid\" : \"{sid}\",\n    \"Effect\" : \"Allow\",\n    \"Principal\" : {{\n      {principal}\n    }},\n    \
         \"Action\" : {actions},\n    \"Resource\" : \"*\"{condition}\n  }}"
    )
}

fn list(actions: &[&str]) -> String {
    let quoted: Vec<_> = actions.iter().map(|action| format!("\"{action}\"")).collect();
    format!("[ {} ]", quoted.join(", "))
}

/// The member of a statement with these operators and their keys.
fn condition(operators: &[(&str, &[&String])]) -> String {
    let each = operators.iter().map(|(operator, keys)| {
        let keys: Vec<_> = keys.iter().map(|key| format!("        {key}")).collect();
        format!("      \"{operator}\" : {{\n{}\n      }}", keys.join(",\n"))
    });
    format!(",\n    \"Condition\" : {{\n{}\n    }}", each.collect::<Vec<_>>().join(",\n"))
}

#[cfg(test)]
mod tests {
    use keyreeve_policy::{Kind, Policy};
    use serde_json::{Value, json};

    use super::*;

    const ACCOUNT: &str = "111122223333";

    fn read(service: &str) -> Value {
        let text = managed_text(ACCOUNT.parse().unwrap(), "eu-west-2".parse().unwrap(), service);
        Policy::compile(Kind::Resource, &text).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn the_text_has_the_form_of_aws() {
        let text = managed_text(ACCOUNT.parse().unwrap(), "us-west-2".parse().unwrap(), "lambda");
        let expected = "{\n  \"Version\" : \"2012-10-17\",\n  \"Id\" : \"auto-awslambda\",\n  \"Statement\" : [ {\n    \"Sid\" : \"Allow access \
            through AWS Lambda for all principals in the account that are authorized to use AWS Lambda\",\n    \"Effect\" : \"Allow\",\n    \
            \"Principal\" : {\n      \"AWS\" : \"*\"\n    },\n    \"Action\" : [ \"kms:Encrypt\", \"kms:Decrypt\", \"kms:ReEncrypt*\", \
            \"kms:GenerateDataKey*\", \"kms:CreateGrant\", \"kms:DescribeKey\" ],\n    \"Resource\" : \"*\",\n    \"Condition\" : {\n      \
            \"StringEquals\" : {\n        \"kms:CallerAccount\" : \"111122223333\",\n        \"kms:ViaService\" : \
            \"lambda.us-west-2.amazonaws.com\"\n      }\n    }\n  }, {\n    \"Sid\" : \"Allow direct access to key metadata to the account\",\n    \
            \"Effect\" : \"Allow\",\n    \"Principal\" : {\n      \"AWS\" : \"arn:aws:iam::111122223333:root\"\n    },\n    \"Action\" : [ \
            \"kms:Describe*\", \"kms:Get*\", \"kms:List*\", \"kms:RevokeGrant\" ],\n    \"Resource\" : \"*\"\n  } ]\n}";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_key_is_used_through_what_its_service_calls_itself() {
        for (service, operator, via) in [
            ("ebs", "StringEquals", "ec2.eu-west-2.amazonaws.com"),
            ("s3", "StringEquals", "s3.eu-west-2.amazonaws.com"),
            ("secretsmanager", "StringEquals", "secretsmanager.eu-west-2.amazonaws.com"),
            ("dynamodb", "StringLike", "dynamodb.*.amazonaws.com"),
            ("kinesis", "StringEquals", "kinesis.eu-west-2.amazonaws.com"),
        ] {
            let condition = &read(service)["Statement"][0]["Condition"];
            assert_eq!(condition[operator]["kms:ViaService"], via, "{service}");
            assert_eq!(condition["StringEquals"]["kms:CallerAccount"], ACCOUNT, "{service}");
        }
    }

    #[test]
    fn what_services_have_of_their_own_is_theirs_alone() {
        let actions = |service: &str, at: usize| read(service)["Statement"][at]["Action"].clone();
        let look = json!(["kms:Describe*", "kms:Get*", "kms:List*"]);
        assert_eq!(actions("s3", 1), look);
        assert_eq!(actions("ssm", 1), look);
        assert_eq!(actions("rds", 0)[5], "kms:ListGrants");
        assert_eq!(actions("sns", 0)[0], "kms:Decrypt");
        assert_eq!(actions("secretsmanager", 1), "kms:GenerateDataKey*");
        let elsewhere = &read("secretsmanager")["Statement"][1]["Condition"]["StringLike"]["kms:ViaService"];
        assert_eq!(elsewhere, "secretsmanager.*.amazonaws.com");
        for (service, principal, statements) in [
            ("es", "es.amazonaws.com", 3),
            ("dynamodb", "dynamodb.amazonaws.com", 3),
            ("ebs", "", 2),
            ("secretsmanager", "", 3),
        ] {
            let all = read(service)["Statement"].as_array().cloned().unwrap();
            assert_eq!(all.len(), statements, "{service}");
            let last = &all[statements - 1];
            assert_eq!(last["Principal"]["Service"].as_str().unwrap_or_default(), principal, "{service}");
        }
    }

    #[test]
    fn a_service_may_have_a_long_and_a_short_name() {
        let expected = "Allow access through Simple Queue Service (SQS) for all principals in the account that are authorized to use SQS";
        assert_eq!(read("sqs")["Statement"][0]["Sid"], expected);
    }

    #[test]
    fn a_description_says_what_is_protected() {
        for (service, protects) in [("s3", "S3 objects"), ("ebs", "EBS volumes"), ("kinesis", "kinesis data")]
        {
            let expected = format!("Default key that protects my {protects} when no other key is defined");
            assert_eq!(managed_description(service), expected);
        }
    }
}
