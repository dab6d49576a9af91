//! What IAM asks of the ARN of a resource.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use keyreeve_domain::is_partition;

/// What is wrong with a resource.
pub(super) fn fault(resource: &str) -> Option<String> {
    if resource == "*" {
        return None;
    }
    let Some((_, rest)) = resource.split_once(':') else {
        return Some(format!("Resource {resource} must be in ARN format or \"*\"."));
    };
    let mut parts = rest.splitn(5, ':');
    let partition = parts.next().unwrap_or_default();
    let (service, region, account, name) = (parts.next(), parts.next(), parts.next(), parts.next());
    if !is_partition(partition) {
        let [service, region, account, name] =
            [service, region, account, name].map(|part| part.unwrap_or("*"));
        return Some(format!(
            "Partition \"{partition}\" is not valid for resource \
             \"arn:{partition}:{service}:{region}:{account}:{name}\"."
        ));
    }
    let Some(service) = service.filter(|service| !service.contains(['*', '?'])) else {
        return Some("Resource vendor must be fully qualified and cannot contain regexes.".to_owned());
    };
    let has_region = region.is_none_or(|region| !region.is_empty());
    match service {
        "iam" if has_region => Some(format!("IAM resource {resource} cannot contain region information.")),
        "s3" if has_region && !name.is_some_and(|name| name.starts_with("accesspoint")) => {
            Some(format!("Resource {resource} can not contain region information."))
        }
        "iam"
            if name.is_some_and(|name| {
                !matches!(name, "*" | "root") && !IAM_PATHS.iter().any(|path| name.starts_with(path))
            }) =>
        {
            Some(format!(
                "IAM resource path must either be \"*\", root, or start with {}.",
                IAM_PATHS.join(", ")
            ))
        }
        _ => None,
    }
}

const IAM_PATHS: [&str; 13] = [
    "user/",
    "federated-user/",
    "role/",
    "group/",
    "instance-profile/",
    "mfa/",
    "server-certificate/",
    "policy/",
    "sms-mfa/",
    "saml-provider/",
    "oidc-provider/",
    "report/",
    "access-report/",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_of_a_resource_has_its_text() {
        let path = "IAM resource path must either be \"*\", root, or start with user/, federated-user/, role/, group/, \
                    instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, \
                    oidc-provider/, report/, access-report/.";
        let vendor = "Resource vendor must be fully qualified and cannot contain regexes.";
        for (resource, expected) in [
            ("*", None),
            ("arn:aws:s3:::example_bucket", None),
            ("arn:aws:s33:::example_bucket", None),
            ("arn:aws:fdsasf", None),
            ("arn:aws:kms:*:111122223333:key/*", None),
            ("arn:aws-cn:kms:*:111122223333:key/*", None),
            ("arn:aws:iam::111122223333:user/x", None),
            ("arn:aws:iam::111122223333:*", None),
            ("arn:aws:ec2:us-east-1::x", None),
            ("invalid resource", Some("Resource invalid resource must be in ARN format or \"*\".")),
            ("", Some("Resource  must be in ARN format or \"*\".")),
            (
                "a:bsdfdsafsad",
                Some("Partition \"bsdfdsafsad\" is not valid for resource \"arn:bsdfdsafsad:*:*:*:*\"."),
            ),
            ("a:b:cadfsdf", Some("Partition \"b\" is not valid for resource \"arn:b:cadfsdf:*:*:*\".")),
            ("a:b:c:d:e:f:g:h", Some("Partition \"b\" is not valid for resource \"arn:b:c:d:e:f:g:h\".")),
            (
                "aws:s3:::example_bucket",
                Some("Partition \"s3\" is not valid for resource \"arn:s3:::example_bucket:*\"."),
            ),
            (
                "arn:error:s3:::example_bucket",
                Some("Partition \"error\" is not valid for resource \"arn:error:s3:::example_bucket\"."),
            ),
            ("arn:aws", Some(vendor)),
            ("arn:aws:*:us-east-1:111122223333:key/*", Some(vendor)),
            ("arn:aws:iam:::example_bucket", Some(path)),
            ("arn:aws:iam::111122223333:root", None),
            ("arn:aws:iam::111122223333:roots", Some(path)),
            ("arn:aws:s3:us-west-2:111122223333:accesspoint/mine", None),
            ("arn:aws:s3:us-west-2:111122223333:accesspoint/mine/object/*", None),
            (
                "arn:aws:iam:us-east-1::example_bucket",
                Some("IAM resource arn:aws:iam:us-east-1::example_bucket cannot contain region information."),
            ),
            (
                "arn:aws:s3:us-east-1::example_bucket",
                Some("Resource arn:aws:s3:us-east-1::example_bucket can not contain region information."),
            ),
        ] {
            assert_eq!(fault(resource).as_deref(), expected, "{resource}");
        }
    }
}
