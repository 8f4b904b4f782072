//! Derives the schema of the Kubernetes API from `k8s-openapi`, so that no copied text has to be kept in step.
//!
//! `schema.txt` has one block per definition: its name, then its fields in Go's order as `name`, `!` if required, a mark for when Go
//! writes it, type, Go type, patch strategy, merge key. `descriptions.txt` has the same order with the descriptions, for who wants to load them.

use std::{collections::BTreeMap, env, error::Error, fmt::Write as _, fs, path::Path};

use k8s_openapi::{
    api, apiextensions_apiserver::pkg::apis::apiextensions, kube_aggregator::pkg::apis::apiregistration,
};
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::Value;

macro_rules! roots {
    ($generator:ident: $($path:path),* $(,)?) => { $($generator.subschema_for::<$path>();)* };
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=data");
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    kinds(&mut generator);
    let definitions = generator.take_definitions(false);
    let names: BTreeMap<&str, usize> =
        definitions.keys().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    let go = fs::read_to_string("data/go-types.txt")?;
    let go = go_types(&go);
    let enums = fs::read_to_string("data/enums.txt")?;
    let enums = possible_values(&enums);

    let (mut schema, mut descriptions) = (String::new(), String::new());
    for (name, definition) in &definitions {
        writeln!(schema, "{name}")?;
        writeln!(descriptions, "{name}\t{}", escaped(definition))?;
        let required: Vec<&str> =
            definition["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let fields = definition["properties"].as_object().into_iter().flatten();
        let known = |field: &String| go.get(&(name.as_str(), field.as_str())).copied();
        let mut fields: Vec<(&String, &Value)> = fields.collect();
        fields.sort_by_key(|(field, _)| known(field).map_or(usize::MAX, |it| it.place));
        for (field, of) in fields {
            let GoField { written, more, .. } = known(field).unwrap_or_default();
            // What may be left empty is a string to Rust all the same, and not asked for.
            let asked = required.contains(&field.as_str()) && matches!(written, "=" | "^");
            let mark = if asked { "!" } else { "" };
            writeln!(
                schema,
                "{}",
                format!(" {field}{mark}{written} {} {more}", code(of, &names)).trim_end()
            )?;
            let values =
                enum_of(name, more).and_then(|of| of.iter().find_map(|name| enums.get(name.as_str())));
            writeln!(descriptions, " {field}\t{}", described(escaped(of), values))?;
        }
    }
    schema.push_str(&fs::read_to_string("data/config-files.txt")?);
    let out = env::var("OUT_DIR")?;
    fs::write(Path::new(&out).join("schema.txt"), schema)?;
    fs::write(Path::new(&out).join("descriptions.txt"), descriptions)?;
    Ok(())
}

/// The type of a value, in a few letters; `schema.rs` reads them.
fn code(of: &Value, names: &BTreeMap<&str, usize>) -> String {
    let reference = of.get("$ref").or_else(|| of.pointer("/allOf/0/$ref")).and_then(Value::as_str);
    if let Some(reference) = reference {
        let name = reference.rsplit('/').next().unwrap_or_default();
        return match name.rsplit('.').next().unwrap_or_default() {
            "Quantity" => "q".to_owned(),
            "IntOrString" => "x".to_owned(),
            "Time" => "t".to_owned(),
            "MicroTime" => "m".to_owned(),
            "RawExtension"
            | "FieldsV1"
            | "JSON"
            | "JSONSchemaPropsOrBool"
            | "JSONSchemaPropsOrArray"
            | "JSONSchemaPropsOrStringArray" => "*".to_owned(),
            _ => names.get(name).map_or_else(|| "*".to_owned(), |_| format!("#{name}")),
        };
    }
    match (of["type"].as_str(), of["format"].as_str()) {
        (Some("string"), Some("byte")) => "y".to_owned(),
        (Some("string"), _) => "s".to_owned(),
        (Some("boolean"), _) => "b".to_owned(),
        (Some("integer"), Some("int32")) => "i".to_owned(),
        (Some("integer"), _) => "l".to_owned(),
        (Some("number"), _) => "f".to_owned(),
        (Some("array"), _) => format!("[{}", code(&of["items"], names)),
        (Some("object"), _) if of.get("additionalProperties").is_some() => {
            format!("{{{}", code(&of["additionalProperties"], names))
        }
        _ => "*".to_owned(),
    }
}

fn escaped(of: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(of).unwrap_or_default();
    let text = value["description"].as_str().or_else(|| value.pointer("/allOf/0/description")?.as_str());
    text.unwrap_or_default().replace('\\', "\\\\").replace('\n', "\\n")
}

/// `data/enums.txt`: the paragraph on its values for each type.
fn possible_values(text: &str) -> BTreeMap<&str, String> {
    let mut enums: BTreeMap<&str, String> = BTreeMap::new();
    let mut definition = "";
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some(line) = line.strip_prefix(' ') else {
            definition = line;
            continue;
        };
        let (value, words) = line.split_once('\t').unwrap_or((line, ""));
        let of = enums.entry(definition).or_insert_with(|| "Possible enum values:".to_owned());
        of.push_str(format!("\\n - `\"{value}\"` {words}").trim_end());
    }
    enums
}

/// Where the values of a field may be listed: with the package of its struct, or with the core.
fn enum_of(definition: &str, go: &str) -> Option<[String; 2]> {
    let (_, name) = go.split(' ').next()?.split_once('.')?;
    let (package, _) = definition.rsplit_once('.')?;
    let core = if package.starts_with("io.k8s.api.") { "io.k8s.api.core.v1" } else { package };
    // The document names no values beside a list, only within it.
    (!go.starts_with("[]")).then(|| [format!("{package}.{name}"), format!("{core}.{name}")])
}

fn described(words: String, values: Option<&String>) -> String {
    match values {
        None => words,
        Some(values) if words.is_empty() => values.clone(),
        Some(values) => format!("{words}\\n\\n{values}"),
    }
}

/// What `data/go-types.txt` says of a field.
#[derive(Clone, Copy, Default)]
struct GoField<'t> {
    /// The line it stands in: fields stand in the order of their struct.
    place: usize,
    /// The mark for when Go writes it.
    written: &'t str,
    /// The rest of the line.
    more: &'t str,
}

/// `data/go-types.txt`, by definition and field.
fn go_types(text: &str) -> BTreeMap<(&str, &str), GoField<'_>> {
    let mut types = BTreeMap::new();
    let mut definition = "";
    for (place, line) in text.lines().enumerate().filter(|(_, line)| !line.starts_with('#')) {
        let Some(line) = line.strip_prefix(' ') else {
            definition = line;
            continue;
        };
        let (field, more) = line.split_once(' ').unwrap_or((line, ""));
        let name = field.trim_end_matches(['=', '^', '?', '~']);
        types.insert((definition, name), GoField { place, written: &field[name.len()..], more });
    }
    types
}

fn kinds(generator: &mut SchemaGenerator) {
    roots!(generator:
        api::core::v1::Binding, api::core::v1::ComponentStatus, api::core::v1::ConfigMap, api::core::v1::Endpoints,
        api::core::v1::Event, api::core::v1::LimitRange, api::core::v1::Namespace, api::core::v1::Node,
        api::core::v1::PersistentVolume, api::core::v1::PersistentVolumeClaim, api::core::v1::Pod,
        api::core::v1::PodTemplate, api::core::v1::ReplicationController, api::core::v1::ResourceQuota,
        api::core::v1::Secret, api::core::v1::Service, api::core::v1::ServiceAccount,
        api::admissionregistration::v1::MutatingWebhookConfiguration,
        api::admissionregistration::v1::ValidatingAdmissionPolicy,
        api::admissionregistration::v1::ValidatingAdmissionPolicyBinding,
        api::admissionregistration::v1::ValidatingWebhookConfiguration,
        apiextensions::v1::CustomResourceDefinition, apiregistration::v1::APIService,
        api::apps::v1::ControllerRevision, api::apps::v1::DaemonSet, api::apps::v1::Deployment,
        api::apps::v1::ReplicaSet, api::apps::v1::StatefulSet,
        api::authentication::v1::SelfSubjectReview, api::authentication::v1::TokenReview,
        api::authorization::v1::LocalSubjectAccessReview, api::authorization::v1::SelfSubjectAccessReview,
        api::authorization::v1::SelfSubjectRulesReview, api::authorization::v1::SubjectAccessReview,
        api::autoscaling::v1::HorizontalPodAutoscaler, api::autoscaling::v1::Scale,
        api::autoscaling::v2::HorizontalPodAutoscaler,
        api::batch::v1::CronJob, api::batch::v1::Job, api::certificates::v1::CertificateSigningRequest,
        api::coordination::v1::Lease, api::discovery::v1::EndpointSlice, api::events::v1::Event,
        api::flowcontrol::v1::FlowSchema, api::flowcontrol::v1::PriorityLevelConfiguration,
        api::networking::v1::Ingress, api::networking::v1::IngressClass, api::networking::v1::IPAddress,
        api::networking::v1::NetworkPolicy, api::networking::v1::ServiceCIDR, api::node::v1::RuntimeClass,
        api::policy::v1::Eviction, api::policy::v1::PodDisruptionBudget,
        api::rbac::v1::ClusterRole, api::rbac::v1::ClusterRoleBinding, api::rbac::v1::Role, api::rbac::v1::RoleBinding,
        api::resource::v1::DeviceClass, api::resource::v1::ResourceClaim, api::resource::v1::ResourceClaimTemplate,
        api::resource::v1::ResourceSlice, api::scheduling::v1::PriorityClass,
        api::storage::v1::CSIDriver, api::storage::v1::CSINode, api::storage::v1::CSIStorageCapacity,
        api::storage::v1::StorageClass, api::storage::v1::VolumeAttachment, api::storage::v1::VolumeAttributesClass,
    );
}
