//! The wire models against the service models that AWS publishes in botocore.
//!
//! Operations, members, required members, shapes, limits, patterns, enumerations and errors are the same, except where
//! `parity-exceptions.txt` says why not. An exception that is no longer needed is a failure too.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::Path;

use keyreeve_wire::query::{Api, Fault, QueryModel};
use keyreeve_wire::{ErrorCode, Kind, Member, OperationModel, Shape, cloudwatch, iam, sts};
use serde_json::Value;

/// Where the exceptions stand, from the root of the repository.
pub(crate) const EXCEPTIONS: &str = "crates/xtask/parity-exceptions.txt";

/// A service whose model is compared: all of KMS, and of the others what an installation needs.
#[derive(Clone, Copy)]
enum Service {
    CloudWatch,
    Iam,
    Kms,
    Sts,
}

impl Service {
    /// Every service.
    const ALL: [Self; 4] = [Self::Kms, Self::Iam, Self::Sts, Self::CloudWatch];

    /// Where its model stands under `data` in botocore, without the ending `.gz`.
    fn file(self) -> &'static str {
        match self {
            Self::CloudWatch => "cloudwatch/2010-08-01/service-2.json",
            Self::Iam => "iam/2010-05-08/service-2.json",
            Self::Kms => "kms/2014-11-01/service-2.json",
            Self::Sts => "sts/2011-06-15/service-2.json",
        }
    }
}

/// Compares the wire models with those in the directory `data` of a botocore, but for the exceptions in a file.
/// The differences of the services beside KMS stand under `cloudwatch.`, `iam.` and `sts.`.
///
/// # Errors
/// The text names every difference without an exception and every exception without a difference.
pub(crate) fn run(data: &Path, exceptions: &Path) -> Result<(), String> {
    let exceptions =
        fs::read_to_string(exceptions).map_err(|error| format!("{}: {error}", exceptions.display()))?;
    let exceptions = read_exceptions(&exceptions)?;
    let mut differences = BTreeMap::new();
    for service in Service::ALL {
        let plain = data.join(service.file());
        let packed = plain.with_extension("json.gz");
        let model = read_model(if packed.exists() { &packed } else { &plain })?;
        let (prefix, found) = match service {
            Service::CloudWatch => {
                let ours =
                    QueryService { protocol: "smithy-rpc-v2-cbor", ..operations(cloudwatch::Operation::ALL) };
                ("cloudwatch.", Comparison::of_query(&model, &ours)?)
            }
            Service::Iam => ("iam.", Comparison::of_query(&model, &operations(iam::Operation::ALL))?),
            Service::Kms => ("", Comparison::of(&model)?),
            Service::Sts => ("sts.", Comparison::of_query(&model, &operations(sts::Operation::ALL))?),
        };
        differences.extend(found.into_iter().map(|(path, what)| (format!("{prefix}{path}"), what)));
    }
    judge(&differences, &exceptions)
}

/// The models of the operations, with the version and the namespace of their service.
struct QueryService {
    /// The one that the model names first.
    protocol: &'static str,
    version: &'static str,
    namespace: &'static str,
    models: Vec<&'static QueryModel>,
}

fn operations<A: Api + HasModel>(all: &[A]) -> QueryService {
    let models = all.iter().map(|operation| operation.query_model()).collect();
    QueryService { protocol: "query", version: A::VERSION, namespace: A::NAMESPACE, models }
}

trait HasModel {
    fn query_model(&self) -> &'static QueryModel;
}

impl HasModel for cloudwatch::Operation {
    fn query_model(&self) -> &'static QueryModel {
        self.model()
    }
}

impl HasModel for iam::Operation {
    fn query_model(&self) -> &'static QueryModel {
        self.model()
    }
}

impl HasModel for sts::Operation {
    fn query_model(&self) -> &'static QueryModel {
        self.model()
    }
}

/// The differences found so far, by path.
struct Comparison<'m> {
    shapes: &'m Value,
    seen: BTreeSet<&'static str>,
    differences: BTreeMap<String, String>,
}

impl<'m> Comparison<'m> {
    fn of(model: &'m Value) -> Result<BTreeMap<String, String>, String> {
        let (Some(operations), Some(shapes)) = (model["operations"].as_object(), model.get("shapes")) else {
            return Err("not a service model: no operations or no shapes".to_owned());
        };
        let mut this = Self { shapes, seen: BTreeSet::new(), differences: BTreeMap::new() };
        for (key, ours) in [("jsonVersion", "1.1"), ("protocol", "json"), ("targetPrefix", "TrentService")] {
            this.equal(&format!("metadata.{key}"), &text_at(model, &format!("/metadata/{key}")), ours);
        }
        this.same_set(
            "operations",
            operations.keys().cloned().collect(),
            keyreeve_wire::model().iter().map(|o| o.operation.name().to_owned()).collect(),
        );
        for operation in keyreeve_wire::model() {
            if let Some(theirs) = operations.get(operation.operation.name()) {
                this.operation(operation, theirs);
            }
        }
        let exceptions =
            shapes.as_object().into_iter().flatten().filter(|(_, shape)| shape["exception"] == true);
        this.same_set(
            "errors",
            exceptions.map(|(name, _)| name.clone()).collect(),
            ErrorCode::MODELLED.iter().map(|code| code.as_str().to_owned()).collect(),
        );
        Ok(this.differences)
    }

    /// A service that speaks awsQuery, of which we have some operations.
    fn of_query(model: &'m Value, service: &QueryService) -> Result<BTreeMap<String, String>, String> {
        let (Some(operations), Some(shapes)) = (model["operations"].as_object(), model.get("shapes")) else {
            return Err("not a service model: no operations or no shapes".to_owned());
        };
        let mut this = Self { shapes, seen: BTreeSet::new(), differences: BTreeMap::new() };
        for (key, ours) in [
            ("protocol", service.protocol),
            ("apiVersion", service.version),
            ("xmlNamespace", service.namespace),
        ] {
            this.equal(&format!("metadata.{key}"), &text_at(model, &format!("/metadata/{key}")), ours);
        }
        for ours in &service.models {
            match operations.get(ours.name) {
                Some(theirs) => this.query_operation(ours, theirs),
                None => this.differ(&format!("operations.{}", ours.name), "not in the service model"),
            }
        }
        Ok(this.differences)
    }

    fn query_operation(&mut self, ours: &QueryModel, theirs: &Value) {
        let name = ours.name;
        self.members(&format!("{name}.input"), ours.input, &text_at(theirs, "/input/shape"));
        let result = ours.output.map(|_| format!("{name}Result")).unwrap_or_default();
        self.equal(&format!("{name}.output"), &text_at(theirs, "/output/resultWrapper"), &result);
        if let Some(output) = ours.output {
            self.members(&format!("{name}.output"), output, &text_at(theirs, "/output/shape"));
        }
        let errors = theirs["errors"].as_array().into_iter().flatten();
        self.same_set(
            &format!("{name}.errors"),
            errors.map(|error| text(&error["shape"])).collect(),
            ours.errors.iter().map(|code| code.shape().to_owned()).collect(),
        );
        for code in ours.errors {
            let error = self.shapes.get(code.shape()).map_or(&Value::Null, |shape| &shape["error"]);
            let (theirs, status) = (text(&error["code"]), limit(error.get("httpStatusCode")));
            let is_sender = error["senderFault"] == true;
            self.equal(&format!("{}.code", code.shape()), &theirs, code.as_str());
            self.equal(&format!("{}.status", code.shape()), &status, &code.http_status().to_string());
            let ours = presence(code.fault() == Fault::Sender);
            self.equal(&format!("{}.senderFault", code.shape()), presence(is_sender), ours);
        }
    }

    fn operation(&mut self, ours: &OperationModel, theirs: &Value) {
        let name = ours.operation.name();
        self.members(&format!("{name}.input"), ours.input, &text_at(theirs, "/input/shape"));
        self.equal(
            &format!("{name}.output"),
            presence(theirs.get("output").is_some()),
            presence(ours.output.is_some()),
        );
        if let Some(output) = ours.output {
            self.members(&format!("{name}.output"), output, &text_at(theirs, "/output/shape"));
        }
        let errors = theirs["errors"].as_array().into_iter().flatten();
        self.same_set(
            &format!("{name}.errors"),
            errors.map(|error| text(&error["shape"])).collect(),
            ours.errors.iter().map(|code| code.as_str().to_owned()).collect(),
        );
    }

    /// The members of a request, an answer or a structure against the shape of this name.
    fn members(&mut self, path: &str, ours: &'static [Member], shape: &str) {
        let shapes = self.shapes;
        let theirs = &shapes[shape];
        let members = theirs["members"].as_object();
        self.same_set(
            path,
            members.into_iter().flatten().map(|(name, _)| name.clone()).collect(),
            ours.iter().map(|member| member.name.to_owned()).collect(),
        );
        let required = theirs["required"].as_array().into_iter().flatten();
        self.same_set(
            &format!("{path}.required"),
            required.map(text).collect(),
            ours.iter().filter(|member| member.required).map(|member| member.name.to_owned()).collect(),
        );
        for member in ours {
            if let Some(reference) = members.and_then(|members| members.get(member.name)) {
                let path = format!("{path}.{}.shape", member.name);
                self.equal(&path, &text(&reference["shape"]), member.shape.name());
            }
            self.shape(member.shape);
        }
    }

    /// A shape, once; its differences stand under its own name.
    fn shape(&mut self, ours: &'static Shape) {
        let name = ours.name();
        if !self.seen.insert(name) {
            return;
        }
        let shapes = self.shapes;
        let Some(theirs) = shapes.get(name) else {
            self.differ(name, "not in the service model");
            return;
        };
        let kind = if theirs.get("enum").is_some() { "enum".to_owned() } else { text(&theirs["type"]) };
        self.equal(&format!("{name}.type"), &kind, kind_name(ours.kind()));
        self.equal(
            &format!("{name}.min"),
            &limit(theirs.get("min")),
            &limit(ours.min().map(Value::from).as_ref()),
        );
        self.equal(
            &format!("{name}.max"),
            &limit(theirs.get("max")),
            &limit(ours.max().map(Value::from).as_ref()),
        );
        let pattern = ours.pattern().map_or("none", |pattern| pattern.text());
        self.equal(&format!("{name}.pattern"), theirs["pattern"].as_str().unwrap_or("none"), pattern);
        self.equal(
            &format!("{name}.sensitive"),
            presence(theirs["sensitive"] == true),
            presence(ours.is_sensitive()),
        );
        if let Kind::Enumeration { values, .. } = ours.kind() {
            let theirs = theirs["enum"].as_array().into_iter().flatten();
            let ours = values.iter().map(|value| (*value).to_owned()).collect();
            self.same_set(&format!("{name}.enum"), theirs.map(text).collect(), ours);
        }
        if let Kind::List(element) = ours.kind() {
            self.equal(&format!("{name}.member"), &text_at(theirs, "/member/shape"), element.name());
            self.shape(element);
        }
        if let Kind::Structure(members) = ours.kind() {
            self.members(name, members, name);
        }
    }

    fn equal(&mut self, path: &str, theirs: &str, ours: &str) {
        if theirs != ours {
            self.differ(path, &format!("the service model has `{theirs}`, we have `{ours}`"));
        }
    }

    fn same_set(&mut self, path: &str, theirs: BTreeSet<String>, ours: BTreeSet<String>) {
        for missing in theirs.difference(&ours) {
            self.differ(&format!("{path}.{missing}"), "only in the service model");
        }
        for extra in ours.difference(&theirs) {
            self.differ(&format!("{path}.{extra}"), "not in the service model");
        }
    }

    fn differ(&mut self, path: &str, what: &str) {
        self.differences.insert(path.to_owned(), what.to_owned());
    }
}

/// Fails on a difference without an exception and on an exception without a difference.
fn judge(differences: &BTreeMap<String, String>, exceptions: &BTreeSet<String>) -> Result<(), String> {
    let mut complaints: Vec<_> = differences
        .iter()
        .filter(|(path, _)| !exceptions.contains(*path))
        .map(|(path, what)| format!("{path}: {what}"))
        .collect();
    complaints.extend(
        exceptions
            .iter()
            .filter(|path| !differences.contains_key(*path))
            .map(|path| format!("{path}: the exception is no longer needed, remove it")),
    );
    if complaints.is_empty() { Ok(()) } else { Err(complaints.join("\n")) }
}

/// The paths of the exceptions; every line must give a reason, and no path may stand twice.
fn read_exceptions(file: &str) -> Result<BTreeSet<String>, String> {
    let mut paths = BTreeSet::new();
    for line in file.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let reasoned = line.split_once('|').filter(|(_, reason)| !reason.trim().is_empty());
        let (path, _) = reasoned.ok_or_else(|| format!("an exception without a reason: {line}"))?;
        if !paths.insert(path.trim().to_owned()) {
            return Err(format!("an exception that stands twice: {}", path.trim()));
        }
    }
    Ok(paths)
}

fn read_model(path: &Path) -> Result<Value, String> {
    let named = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let mut bytes = Vec::new();
    let file = fs::OpenOptions::new().read(true).open(path).map_err(|error| named(&error))?;
    if path.extension().is_some_and(|extension| extension == "gz") {
        flate2::read::GzDecoder::new(file).read_to_end(&mut bytes).map_err(|error| named(&error))?;
    } else {
        std::io::BufReader::new(file).read_to_end(&mut bytes).map_err(|error| named(&error))?;
    }
    serde_json::from_slice(&bytes).map_err(|error| named(&error))
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Blob => "blob",
        Kind::Boolean => "boolean",
        Kind::Double => "double",
        Kind::Enumeration { .. } => "enum",
        Kind::Integer => "integer",
        Kind::List(_) => "list",
        Kind::Map => "map",
        Kind::Structure(_) => "structure",
        Kind::Text => "string",
        Kind::Timestamp => "timestamp",
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The text at a JSON pointer.
fn text_at(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).map(text).unwrap_or_default()
}

fn limit(value: Option<&Value>) -> String {
    value.map_or_else(|| "none".to_owned(), Value::to_string)
}

fn presence(present: bool) -> &'static str {
    if present { "present" } else { "absent" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(paths: &[&str]) -> BTreeSet<String> {
        paths.iter().map(|path| (*path).to_owned()).collect()
    }

    #[test]
    fn a_new_difference_and_an_unneeded_exception_both_fail() {
        let differences = BTreeMap::from([("A.min".to_owned(), "why".to_owned())]);
        for (exceptions, complaint) in [
            (paths(&["A.min"]), None),
            (paths(&[]), Some("A.min: why")),
            (paths(&["A.min", "B.max"]), Some("B.max: the exception is no longer needed, remove it")),
        ] {
            assert_eq!(judge(&differences, &exceptions).err().as_deref(), complaint);
        }
    }

    #[test]
    fn an_exception_needs_a_reason_and_stands_once() {
        for (file, expected) in [
            ("# text\n\nA.min | why\n", Ok(paths(&["A.min"]))),
            ("A.min\n", Err("an exception without a reason: A.min".to_owned())),
            ("A.min | \n", Err("an exception without a reason: A.min |".to_owned())),
            ("A.min | a\nA.min | b\n", Err("an exception that stands twice: A.min".to_owned())),
        ] {
            assert_eq!(read_exceptions(file), expected);
        }
    }

    #[test]
    fn an_empty_service_model_differs_everywhere() {
        let model = serde_json::json!({"metadata": {}, "operations": {}, "shapes": {}});
        let differences = Comparison::of(&model).unwrap();
        assert_eq!(
            differences.get("operations.Encrypt").map(String::as_str),
            Some("not in the service model")
        );
        assert!(differences.contains_key("metadata.targetPrefix"));
        assert!(differences.contains_key("errors.NotFoundException"));
        assert!(Comparison::of(&serde_json::json!([])).is_err());
        let differences = Comparison::of_query(&model, &operations(iam::Operation::ALL)).unwrap();
        assert!(differences.contains_key("metadata.xmlNamespace"));
        assert!(differences.contains_key("operations.CreateUser"));
    }
}
