//! `describe` for who may do what.

use api::Kind;
use serde_json::Value;

use super::{template, writer::Writer};
use crate::kubectl::{
    Kube,
    client::Selection,
    field::{at, list, name, namespace, text},
    rules::{self, Rule},
};

pub(super) fn role(o: &Value) -> String {
    let mut w = Writer::default();
    w.line(0, format!("Name:\t{}", name(o)));
    template::marks(&mut w, o);
    w.line(0, "PolicyRule:");
    w.line(1, "Resources\tNon-Resource URLs\tResource Names\tVerbs");
    w.line(1, "---------\t-----------------\t--------------\t-----");
    for rule in rules::compact(list(o, "rules")) {
        let Rule { urls, names, verbs, .. } = &rule;
        w.line(
            1,
            format!(
                "{}\t[{}]\t[{}]\t[{}]",
                rule.resource(),
                urls.join(" "),
                names.join(" "),
                verbs.join(" ")
            ),
        );
    }
    template::close(w, None)
}

pub(super) fn binding(o: &Value) -> String {
    let mut w = Writer::default();
    w.line(0, format!("Name:\t{}", name(o)));
    template::marks(&mut w, o);
    w.line(0, "Role:");
    w.line(1, format!("Kind:\t{}", text(o, "roleRef.kind")));
    w.line(1, format!("Name:\t{}", text(o, "roleRef.name")));
    w.line(0, "Subjects:");
    w.line(1, "Kind\tName\tNamespace");
    w.line(1, "----\t----\t---------");
    for subject in list(o, "subjects") {
        w.line(
            1,
            format!("{}\t{}\t{}", text(subject, "kind"), text(subject, "name"), text(subject, "namespace")),
        );
    }
    template::close(w, None)
}

pub(super) fn account(kube: &mut Kube<'_, '_>, o: &Value, events: Option<&str>) -> String {
    let mut w = Writer::default();
    template::head(&mut w, o, true);
    template::marks(&mut w, o);
    let secrets = kube.list(Kind::Secret, namespace(o), &Selection::default());
    let exists = |wanted: &str| match &secrets {
        Ok(all) => all.iter().any(|s| name(s) == wanted),
        Err(_) => true,
    };
    let is_token = |secret: &&Value| {
        let marked = |key: &str| at(secret, "metadata.annotations").get(key).and_then(Value::as_str);
        text(secret, "type") == "kubernetes.io/service-account-token"
            && marked("kubernetes.io/service-account.name") == Some(name(o))
            && marked("kubernetes.io/service-account.uid") == at(o, "metadata.uid").as_str()
    };
    let tokens: Vec<&str> = secrets.iter().flatten().filter(is_token).map(name).collect();
    let named = |path: &str| list(o, path).iter().map(|s| text(s, "name")).collect::<Vec<_>>();
    for (title, names) in [
        ("Image pull secrets:", named("imagePullSecrets")),
        ("Mountable secrets: ", named("secrets")),
        ("Tokens:            ", tokens),
    ] {
        if names.is_empty() {
            w.line(0, format!("{title}\t<none>"));
        }
        for (i, name) in names.iter().enumerate() {
            let title = if i == 0 { title } else { "                   " };
            let gone = if exists(name) { "" } else { " (not found)" };
            w.line(0, format!("{title}\t{name}{gone}"));
        }
    }
    template::close(w, events)
}
