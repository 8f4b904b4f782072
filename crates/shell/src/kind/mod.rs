//! What does `kind` print?
//!
//! Everything but lists goes to standard error, as kind's own logger does. Source: kind v0.27, `pkg/cmd/kind`, `pkg/cluster/internal/create`; the
//! closing line is one of several in the real tool and always the same here.

use api::{
    Resource, SimDuration,
    k8s::core::v1::Node,
    kinds::{
        kind_config,
        sim::{ControlPlane, Provider},
    },
};
use cluster::{ClusterId, Principal, Refusal, Request, World, provision::Provision};

use crate::{
    eval::Flow,
    flag::{Flag, FlagError, Given, switch, value},
    kubectl::{config::files, known},
    output::Hint,
    tool::Call,
};

const FLAGS: &[Flag] = &[
    value("name", 'n'),
    value("config", '\0'),
    value("image", '\0'),
    value("wait", '\0'),
    value("kubeconfig", '\0'),
    value("verbosity", 'v'),
    switch("retain", '\0'),
    switch("quiet", 'q'),
    switch("all", 'A'),
];

/// Longest wait of `kind create cluster --wait` and for the node to register.
const LONGEST: SimDuration = SimDuration::secs(600);

/// `kind …`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let args = std::mem::take(&mut call.args);
    let given = match Given::parse(&args, &[FLAGS]) {
        Ok(given) => given,
        Err(FlagError::Help) => {
            call.out.out(HELP);
            return Ok(0);
        }
        Err(error) => {
            call.out.err(&format!("ERROR: {error}"));
            return Ok(1);
        }
    };
    let words: Vec<&str> = given.args.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => {
            call.out.out(HELP);
            Ok(0)
        }
        ["version"] => {
            call.out.line("kind v0.27.0 go1.23.6 linux/amd64");
            Ok(0)
        }
        ["create", "cluster"] => Ok(create(call, &given)),
        ["delete", "cluster" | "clusters"] => Ok(delete(call, &given)),
        ["delete", "clusters", names @ ..] => {
            let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
            for name in names {
                delete_one(call, &name);
            }
            Ok(0)
        }
        ["get", "clusters"] => {
            let names = names(call.shell.world);
            if names.is_empty() {
                call.out.err("No kind clusters found.");
            }
            for name in names {
                call.out.line(&name);
            }
            Ok(0)
        }
        ["get", "nodes"] => {
            let name = given.value("name").unwrap_or("kind");
            let nodes = nodes(call.shell.world, name);
            if nodes.is_empty() {
                call.out.err(&format!("No kind nodes found for cluster {name:?}."));
            }
            for node in nodes {
                call.out.line(&node);
            }
            Ok(0)
        }
        [verb @ ("create" | "delete" | "get" | "export" | "load" | "build"), ..] => {
            call.out.err(&format!("lab: kind {verb} is only available for clusters"));
            call.out.hint(Hint::NotSimulated { what: format!("kind {}", words.join(" ")) });
            Ok(1)
        }
        [other, ..] => {
            call.out.err(&format!("ERROR: unknown command {other:?} for \"kind\""));
            let known = ["build", "create", "delete", "export", "get", "load", "version"];
            let nearest = crate::tool::nearest(other, known.into_iter());
            call.out.hint(Hint::UnknownCommand { name: format!("kind {other}"), nearest });
            Ok(1)
        }
    }
}

const HELP: &str = "kind creates and manages local Kubernetes clusters using Docker container 'nodes'\n\nUsage:\n  kind [command]\n\nAvailable Commands:\n  create      Creates one of [cluster]\n  delete      Deletes one of [cluster]\n  get         Gets one of [clusters, nodes, kubeconfig]\n  version     Prints the kind CLI version\n\nUse \"kind [command] --help\" for more information about a command.\n";

fn names(world: &World) -> Vec<String> {
    let planes = world.store().list::<ControlPlane>(ClusterId::WORLD, None);
    planes.filter(|p| p.provider == Provider::Kind).filter_map(|p| p.meta().name.clone()).collect()
}

fn nodes(world: &World, cluster: &str) -> Vec<String> {
    let Some(plane) = known::plane(world, cluster) else { return Vec::new() };
    world.store().list::<Node>(ClusterId(plane.id), None).filter_map(|n| n.meta().name.clone()).collect()
}

fn create(call: &mut Call<'_, '_>, given: &Given) -> i32 {
    let mut config = kind_config::Cluster::default();
    if let Some(file) = given.value("config") {
        let text = if file == "-" {
            call.stdin.rest()
        } else {
            match call.shell.machine.files.read(&call.shell.machine.path(file)) {
                Ok(text) => text.to_string(),
                Err(error) => {
                    let why = error.to_string().to_lowercase();
                    call.out.err(&format!(
                        "ERROR: failed to create cluster: error reading file: open {file}: {why}"
                    ));
                    return 1;
                }
            }
        };
        let reading = api::text::read(&text);
        let Some(document) = reading.documents.first() else {
            call.out.err("ERROR: failed to create cluster: unable to decode config: EOF");
            return 1;
        };
        let (read, found) = match document.kubectl_error() {
            Some(error) => {
                let why = error.trim_start_matches("error converting YAML to JSON: ");
                call.out.err(&format!("ERROR: failed to create cluster: unable to decode config: {why}"));
                offer(call, file, &text);
                return 1;
            }
            None => kind_config::read(document),
        };
        if let Some(refusal) = kind_config::refusal(&found) {
            call.out.err(&format!("ERROR: failed to create cluster: {refusal}"));
            offer(call, file, &text);
            return 1;
        }
        config = read.unwrap_or_default();
    }
    let name = given
        .value("name")
        .map(str::to_owned)
        .or_else(|| config.name.clone())
        .unwrap_or_else(|| "kind".to_owned());
    let image = given.value("image").map(str::to_owned);
    let shown = image.clone().or_else(|| config.nodes.first().and_then(|n| n.image.clone()));
    let several = config.nodes.len() > 1;
    let request = Provision::CreateKindCluster { name: name.clone(), config: Box::new(config), image };
    if let Err(refusal) = call.shell.world.request(&Principal::admin(), Request::Provision(request)) {
        let text = match refusal {
            Refusal::Tool(text) => text,
            other => format!("failed to create cluster: {other}"),
        };
        call.out.err(&format!("ERROR: {text}"));
        return 1;
    }
    let (entries, version) = match known::plane(call.shell.world, &name) {
        Some(plane) => (known::entries(call.shell.world, plane), plane.version.clone()),
        None => return 1,
    };
    let shown = shown.unwrap_or_else(|| format!("kindest/node:{version}"));
    let shown = shown.split('@').next().unwrap_or(&shown).to_owned();
    let files = files::open(call.shell, given.value("kubeconfig")).ok().flatten();
    call.shell.machine.kubeconfig.add(entries.0, entries.1, entries.2);
    if let Some(files) = files {
        files.close(call.shell);
    }
    let up = |world: &World| !nodes(world, &name).is_empty();
    call.shell.wait_until(LONGEST, call.out, up);
    // Making the cluster takes this long in the real tool, before it answers.
    let making = cluster::timing::KIND_CREATE;
    call.shell.wait_until(making, call.out, |_| false);
    if let Some(limit) = given.value("wait").and_then(crate::text::sleep::seconds) {
        call.shell.wait_until(limit, call.out, |world| ready(world, &name));
    }
    let crates = if several { "📦 📦" } else { "📦" };
    call.out.err(&format!("Creating cluster {name:?} ..."));
    call.out.err(&format!(" ✓ Ensuring node image ({shown}) 🖼"));
    call.out.err(&format!(" ✓ Preparing nodes {crates}  "));
    call.out.err(" ✓ Writing configuration 📜 ");
    call.out.err(" ✓ Starting control-plane 🕹️ ");
    call.out.err(" ✓ Installing CNI 🔌 ");
    call.out.err(" ✓ Installing StorageClass 💾 ");
    if several {
        call.out.err(" ✓ Joining worker nodes 🚜 ");
    }
    call.out.err(&format!(
        "Set kubectl context to \"kind-{name}\"\nYou can now use your cluster with:\n\nkubectl cluster-info --context kind-{name}\n\nHave a nice day! 👋"
    ));
    0
}

fn ready(world: &World, name: &str) -> bool {
    let Some(plane) = known::plane(world, name) else { return false };
    world.store().list::<Node>(ClusterId(plane.id), None).all(|node| {
        let conditions = node.status.iter().flat_map(|s| s.conditions.iter().flatten());
        conditions.into_iter().any(|c| c.type_ == "Ready" && c.status == "True")
    })
}

/// A config that lost its indentation, put right.
fn offer(call: &mut Call<'_, '_>, file: &str, text: &str) {
    if let Some(text) = api::text::reindent(text) {
        let name = if file == "-" { "STDIN".to_owned() } else { file.to_owned() };
        call.out.hint(Hint::Reindent { name, text });
    }
}

fn delete(call: &mut Call<'_, '_>, given: &Given) -> i32 {
    if given.on("all") {
        for name in names(call.shell.world) {
            delete_one(call, &name);
        }
        return 0;
    }
    let name = given.value("name").unwrap_or("kind").to_owned();
    delete_one(call, &name);
    0
}

fn delete_one(call: &mut Call<'_, '_>, name: &str) {
    call.out.err(&format!("Deleting cluster {name:?} ..."));
    let nodes = nodes(call.shell.world, name);
    if nodes.is_empty() {
        return;
    }
    let request = Provision::DeleteKindCluster { name: name.to_owned() };
    if call.shell.world.request(&Principal::admin(), Request::Provision(request)).is_ok() {
        let shown: Vec<String> = nodes.iter().map(|n| format!("{n:?}")).collect();
        call.shell.machine.kubeconfig.remove(&format!("kind-{name}"));
        call.out.err(&format!("Deleted nodes: [{}]", shown.join(" ")));
    }
}
