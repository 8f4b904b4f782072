//! `kubectl cluster-info dump`: what there is in some namespaces, with the logs of their pods.
//!
//! Lists as JSON one after another, or as files below a directory. Source: kubectl v1.32
//! `pkg/cmd/clusterinfo/clusterinfo_dump.go`.

use api::{Kind, emit};
use cluster::{ApiRequest, ApiVerb, Reply, request::Page};
use serde_json::{Value, json};

use crate::kubectl::{
    Done, Fail, Kube,
    client::wire,
    field::{list, name, name_of, namespace},
    logs,
    print::{self, Format, typed},
};

/// What is listed of each namespace, and the file that it goes to.
const LISTS: [(Kind, &str); 7] = [
    (Kind::Event, "events"),
    (Kind::ReplicationController, "replication-controllers"),
    (Kind::Service, "services"),
    (Kind::DaemonSet, "daemonsets"),
    (Kind::Deployment, "deployments"),
    (Kind::ReplicaSet, "replicasets"),
    (Kind::Pod, "pods"),
];

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    let format = print::format(kube, false)?.unwrap_or(Format::Json);
    let namespaces = if kube.given.on("all-namespaces") {
        let all = kube.list(Kind::Namespace, "", &super::client::Selection::default())?;
        all.iter().map(|it| name(it).to_owned()).collect()
    } else {
        let given: Vec<String> = kube.given.list("namespaces").into_iter().map(str::to_owned).collect();
        if given.is_empty() { vec!["kube-system".to_owned(), kube.namespace()?] } else { given }
    };
    show(kube, &format, Kind::Node, "", "nodes")?;
    for namespace in namespaces {
        let mut pods = Vec::new();
        for (kind, file) in LISTS {
            // The last of them are the pods.
            pods = show(kube, &format, kind, &namespace, &format!("{namespace}/{file}"))?;
        }
        for pod in pods {
            log(kube, &pod)?;
        }
    }
    if let Some(directory) = directory(kube) {
        kube.out.line(&format!("Cluster info dumped to {directory}"));
    }
    Ok(())
}

/// Where files go, if not to the terminal.
fn directory(kube: &Kube<'_, '_>) -> Option<String> {
    kube.given.value("output-directory").filter(|it| !matches!(*it, "" | "-")).map(str::to_owned)
}

fn put(kube: &mut Kube<'_, '_>, file: &str, text: &str) -> Done {
    let Some(directory) = directory(kube) else {
        kube.out.out(text);
        return Ok(());
    };
    let machine = &mut kube.shell.machine;
    let path = machine.path(&format!("{directory}/{file}"));
    machine.files.make_all(crate::files::parent(&path));
    machine.files.write(&path, text).map_err(|error| Fail::Error(format!("open {path}: {error}")))
}

/// Prints all objects of a kind in a namespace; which they are.
fn show(
    kube: &mut Kube<'_, '_>,
    format: &Format,
    kind: Kind,
    namespace: &str,
    file: &str,
) -> Done<Vec<Value>> {
    let verb =
        ApiVerb::List { label_selector: String::new(), field_selector: String::new(), page: Page::default() };
    let asked: ApiRequest = kube.request(verb, kind, namespace, "");
    let Reply::List(found) = kube.ask(asked)? else { return Fail::error("unexpected object") };
    let mut items: Vec<Value> = found.items.iter().map(|object| wire(kind, object)).collect();
    let whole = items.clone();
    for item in &mut items {
        print::hide_managed(item, kube);
        if let Value::Object(fields) = item {
            fields.remove("apiVersion");
            fields.remove("kind");
        }
    }
    let info = kind.info();
    let shown = json!({"kind": format!("{}List", info.kind), "apiVersion": info.api_version(),
        "metadata": {"resourceVersion": found.revision.to_string()},
        // UPSTREAM: an empty list is none.
        "items": if items.is_empty() { Value::Null } else { items.into() }});
    let (text, ending) = match format {
        Format::Json => (typed::json(&shown) + "\n", "json"),
        Format::Yaml => (emit::yaml(&shown), "yaml"),
        _ => {
            print::structured(kube, format, shown)?;
            return Ok(whole);
        }
    };
    put(kube, &format!("{file}.{ending}"), &text)?;
    Ok(whole)
}

/// Prints the logs of a pod's containers.
fn log(kube: &mut Kube<'_, '_>, pod: &Value) -> Done {
    let mut text = String::new();
    for container in list(pod, "spec.initContainers").iter().chain(list(pod, "spec.containers")) {
        let container = name_of(container).to_owned();
        let about = format!("logs for container {container} of pod {}/{}", namespace(pod), name(pod));
        text.push_str(&format!("==== START {about} ====\n"));
        match logs::log(kube, pod, &container) {
            Ok(lines) => lines.iter().for_each(|line| text.push_str(&format!("{line}\n"))),
            Err(Fail::Server(status)) => text.push_str(&format!("Request log error: {}\n", status.message)),
            Err(other) => return Err(other),
        }
        text.push_str(&format!("==== END {about} ====\n"));
    }
    put(kube, &format!("{}/{}/logs.txt", namespace(pod), name(pod)), &text)
}

#[cfg(test)]
mod tests {
    use crate::text::tests::stdout;

    const DUMP: &str = "kind create cluster 2>/dev/null; kubectl run web --image=nginx >/dev/null; sleep 20; \
                        kubectl cluster-info dump --namespaces=default";

    #[test]
    fn lists_and_logs_come_one_after_another() {
        let out = stdout(&format!("{DUMP} | grep -E '^ {{4}}\"kind\"|^===='"));
        assert!(out.starts_with("    \"kind\": \"NodeList\",\n    \"kind\": \"EventList\",\n"), "{out}");
        assert!(out.ends_with("==== END logs for container web of pod default/web ====\n"), "{out}");
    }

    #[test]
    fn a_directory_gets_a_file_for_each() {
        let out = stdout(&format!("{DUMP} --output-directory=d; ls d d/default"));
        assert_eq!(
            out,
            "Cluster info dumped to d\nd:\ndefault\nnodes.json\n\nd/default:\ndaemonsets.json\ndeployments.json\nevents.json\n\
             pods.json\nreplicasets.json\nreplication-controllers.json\nservices.json\nweb\n"
        );
    }
}
