//! What may follow what is typed?
//!
//! [`complete`] reads a line as far as its cursor, and gives it with the word at its end completed as far as all that may stand there
//! agree, as bash does on Tab. Verbs, flags and words come from the registries, names from the world and the machine's files: what is
//! offered is what would work. Nothing runs.
//! Source: bash's readline (`complete`, a space after what is whole); kubectl's own completion for the order of its words.
//!
//! ```
//! use shell::{Machine, complete};
//! let (machine, world) = (Machine::default(), cluster::World::empty(1));
//! assert_eq!(complete("kubectl desc", &machine, &world).line, "kubectl describe ");
//! assert_eq!(complete("kubectl co", &machine, &world).offers, ["completion", "config", "cordon"]);
//! ```

use api::{
    Kind,
    kind::{Domain, Scope},
    kinds::sim::ControlPlane,
};
use cluster::{ClusterId, World};

use crate::{
    files::Entry,
    flag::{Flag, Takes},
    kubectl, lab,
    machine::Machine,
    tool::TOOLS,
};

/// A line with its last word completed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// The line, as far as it is sure.
    pub line: String,
    /// What may stand at its end; one where it is whole, none where nothing is known.
    pub offers: Vec<String>,
}

/// Completes the last word of `line`, which ends at the cursor.
#[must_use]
pub fn complete(line: &str, machine: &Machine, world: &World) -> Completion {
    let Some((before, word)) = last_word(line) else {
        return Completion { line: line.to_owned(), offers: Vec::new() };
    };
    let mut all = Context { machine, world }.offers(&before, word);
    all.retain(|offer| offer.starts_with(word));
    all.sort();
    all.dedup();
    let kept = &line[..line.len() - word.len()];
    let line = match all.as_slice() {
        [] => line.to_owned(),
        // A directory and a flag with its value go on.
        [one] if one.ends_with(['/', '=', ':']) => format!("{kept}{one}"),
        [one] => format!("{kept}{one} "),
        [first, rest @ ..] => {
            let agreed = rest.iter().fold(first.as_str(), |agreed, next| {
                let same = agreed.char_indices().zip(next.chars()).take_while(|((_, a), b)| a == b);
                &agreed[..same.map(|((at, c), _)| at + c.len_utf8()).last().unwrap_or(0)]
            });
            format!("{kept}{agreed}")
        }
    };
    Completion { line, offers: all }
}

/// The words of the last command before the cursor, and the one at it; none within quotes.
fn last_word(line: &str) -> Option<(Vec<&str>, &str)> {
    if line.matches('\'').count() % 2 == 1 || line.matches('"').count() % 2 == 1 {
        return None;
    }
    let command = line.rsplit(['|', ';', '&', '(', '\n']).next().unwrap_or_default();
    let word = command.rsplit(char::is_whitespace).next().unwrap_or_default();
    let before = command[..command.len() - word.len()].split_whitespace().collect();
    Some((before, word))
}

struct Context<'c> {
    machine: &'c Machine,
    world: &'c World,
}

impl Context<'_> {
    fn offers(&self, before: &[&str], word: &str) -> Vec<String> {
        let Some((tool, args)) = before.split_first() else {
            let tools = TOOLS.iter().map(|tool| tool.name.to_owned());
            return tools.chain(self.machine.aliases.keys().cloned()).collect();
        };
        let alias = self.machine.aliases.get(*tool).map(|text| text.split_whitespace().collect::<Vec<_>>());
        let whole: Vec<&str> =
            alias.unwrap_or_else(|| vec![tool]).into_iter().chain(args.iter().copied()).collect();
        if matches!(before.last(), Some(&(">" | ">>" | "<"))) {
            return self.files(word);
        }
        match whole.as_slice() {
            ["kubectl", args @ ..] => self.kubectl(args, word),
            ["lab"] => lab::VERBS.iter().map(|verb| verb.name.to_owned()).collect(),
            ["lab", "trace"] | ["lab", "trace", _] => self.ends(),
            ["lab", "wait"] => vec!["idle".to_owned()],
            ["lab", "fix" | "what-if"] => self.named(Kind::Pod, None),
            ["lab", "fix", _] => self.ends(),
            ["lab", "fault"] => words(&["az", "clear", "interrupt", "rebalance", "stop"]),
            ["lab", "fault", "stop" | "clear"] => {
                [self.named(Kind::Part, None), words(&["api", "etcd", "kube-proxy", "kubelet", "runtime"])]
                    .concat()
            }
            ["lab", "fault", "stop" | "clear", "kube-proxy" | "kubelet" | "runtime"] => {
                self.named(Kind::Node, None)
            }
            ["lab", "fault", "interrupt" | "rebalance"] => self.named(Kind::Node, None),
            ["lab", "node"] => words(&["add", "restart", "set-max-pods"]),
            ["lab", "node", "restart" | "set-max-pods"] => self.named(Kind::Node, None),
            ["lab", "why" | "select"] => {
                let slashed = |kind, prefix: &str| {
                    self.named(kind, None)
                        .into_iter()
                        .map(|name| format!("{prefix}/{name}"))
                        .collect::<Vec<_>>()
                };
                [slashed(Kind::Pod, "pod"), slashed(Kind::Node, "node")].concat()
            }
            ["kind"] => words(&["create", "delete", "get", "version"]),
            ["kind", "create" | "delete"] => words(&["cluster"]),
            ["kind", "get"] => words(&["clusters", "nodes"]),
            ["eksctl"] => words(&["create", "delete", "get", "scale", "utils", "version"]),
            ["eksctl", "create" | "delete" | "get"] => words(&["cluster", "fargateprofile", "nodegroup"]),
            ["eksctl", "scale"] => words(&["nodegroup"]),
            ["aws"] => crate::aws::services(),
            ["aws", service] => crate::aws::operations(service),
            _ => self.files(word),
        }
    }

    fn kubectl(&self, args: &[&str], word: &str) -> Vec<String> {
        let owned: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
        let (command, rest) = kubectl::find(&owned);
        let lists = [kubectl::flags(&command), kubectl::flags("")];
        if let Some(flag) = args.last().and_then(|last| takes_value(last, &lists)) {
            return self.value(flag, word);
        }
        if let Some((name, _)) = word.split_once('=').filter(|(name, _)| name.starts_with("--")) {
            let flag = lists.iter().flat_map(|list| list.iter()).find(|flag| flag.long == &name[2..]);
            let values = flag.map(|flag| self.value(flag, "")).unwrap_or_default();
            return values.into_iter().map(|value| format!("{name}={value}")).collect();
        }
        if word.starts_with('-') {
            let flags = lists.iter().flat_map(|list| list.iter());
            return flags.map(|flag| format!("--{}", flag.long)).collect();
        }
        let given = positional(&rest, &lists);
        let below = kubectl::below(&command);
        if !below.is_empty() && given.is_empty() {
            let here = |name: &&str| !command.is_empty() || kubectl::VERBS.iter().any(|it| it.name == *name);
            return words(&below.into_iter().filter(here).collect::<Vec<_>>());
        }
        let names = |kinds: &[&str]| match (word.split_once('/'), given.as_slice()) {
            (Some((kind, _)), []) => slashed(kind, self.of_kind(kind, args)),
            (None, []) => words(kinds),
            (_, [kind, ..]) if !kind.contains('/') => self.of_kind(kind, args),
            _ => Vec::new(),
        };
        match command.as_str() {
            "annotate" | "delete" | "describe" | "edit" | "get" | "label" | "patch" | "wait" => {
                names(&resources().iter().map(String::as_str).collect::<Vec<_>>())
            }
            "autoscale" => names(&["deployment", "replicaset", "replicationcontroller", "statefulset"]),
            "scale" => names(&["deployment", "replicaset", "replicationcontroller", "statefulset"]),
            "expose" => names(&["deployment", "pod", "replicaset", "replicationcontroller", "service"]),
            "rollout pause" | "rollout resume" => names(&["deployment"]),
            "rollout history" | "rollout restart" | "rollout status" | "rollout undo" => {
                names(&["daemonset", "deployment", "statefulset"])
            }
            "set image" | "set env" | "set resources" | "set serviceaccount" => names(&[
                "cronjobs",
                "daemonsets",
                "deployments",
                "pods",
                "replicasets",
                "replicationcontrollers",
                "statefulsets",
            ]),
            "set selector" => names(&["services"]),
            "set subject" => names(&["clusterrolebindings", "rolebindings"]),
            "taint" if given.is_empty() => words(&["node"]),
            "cordon" | "drain" | "taint" | "top node" | "uncordon" => self.named(Kind::Node, None),
            "top pod" => self.of_kind("pods", args),
            "attach" | "exec" | "logs" | "port-forward" if given.is_empty() => match word.split_once('/') {
                Some((kind, _)) => slashed(kind, self.of_kind(kind, args)),
                None => [self.of_kind("pods", args), words(WITH_PODS)].concat(),
            },
            "explain" if given.is_empty() => explained(word),
            "config delete-context" | "config rename-context" | "config use-context" => self.contexts(),
            "config delete-cluster" => {
                self.machine.kubeconfig.clusters.iter().map(|it| it.name.clone()).collect()
            }
            "config delete-user" => self.machine.kubeconfig.users.iter().map(|it| it.name.clone()).collect(),
            "completion" if given.is_empty() => words(&["bash", "fish", "powershell", "zsh"]),
            "cp" => self.files(word),
            _ => Vec::new(),
        }
    }

    /// What may be a flag's value.
    fn value(&self, flag: &Flag, word: &str) -> Vec<String> {
        match flag.long {
            "namespace" => self.named(Kind::Namespace, None),
            "filename" | "kubeconfig" | "patch-file" => self.files(word),
            "output" => {
                words(&["custom-columns=", "go-template=", "json", "jsonpath=", "name", "wide", "yaml"])
            }
            "cascade" => words(&["background", "foreground", "orphan"]),
            "context" => self.contexts(),
            "dry-run" => words(&["client", "none", "server"]),
            _ => Vec::new(),
        }
    }

    fn contexts(&self) -> Vec<String> {
        self.machine.kubeconfig.contexts.iter().map(|context| context.name.clone()).collect()
    }

    /// Names of the objects that `kubectl` means by a word, in the namespace that the arguments say.
    fn of_kind(&self, word: &str, args: &[&str]) -> Vec<String> {
        let Some(kind) = Kind::of_resource(word) else { return Vec::new() };
        if kind.info().scope == Scope::Cluster {
            return self.named(kind, None);
        }
        let said = args.iter().enumerate().find_map(|(at, arg)| match arg.split_once('=') {
            Some(("-n" | "--namespace", value)) => Some(value),
            None if matches!(*arg, "-n" | "--namespace") => args.get(at + 1).copied(),
            _ => None,
        });
        let config = &self.machine.kubeconfig;
        let current = config.context(&config.current).map(|context| context.namespace.as_str());
        let namespace = said.or(current).filter(|namespace| !namespace.is_empty()).unwrap_or("default");
        self.named(kind, Some(namespace))
    }

    fn named(&self, kind: Kind, namespace: Option<&str>) -> Vec<String> {
        let objects = self.world.store().objects(self.cluster(), kind, namespace);
        objects.map(|(key, _)| key.name.to_string()).collect()
    }

    fn ends(&self) -> Vec<String> {
        cluster::path::ends(&cluster::network::of(self.world, self.cluster()))
    }

    /// The cluster of the current context.
    fn cluster(&self) -> ClusterId {
        let config = &self.machine.kubeconfig;
        let plane = config
            .context(&config.current)
            .and_then(|context| config.clusters.iter().find(|it| it.name == context.cluster))
            .and_then(|it| kubectl::known::plane(self.world, &it.control_plane));
        let first = || self.world.store().list::<ControlPlane>(ClusterId::WORLD, None).next();
        plane.or_else(first).map_or(ClusterId::WORLD, |plane| ClusterId(plane.id))
    }

    /// What lies in the directory that a word names so far.
    fn files(&self, word: &str) -> Vec<String> {
        let folder = word.rfind('/').map_or("", |at| &word[..=at]);
        let path = self.machine.path(if folder.is_empty() { "." } else { folder });
        let names = self.machine.files.list(&path).into_iter();
        let hidden = word[folder.len()..].starts_with('.');
        names
            .filter(|name| hidden || !name.starts_with('.'))
            .map(|name| {
                let whole = self.machine.path(&format!("{folder}{name}"));
                let slash =
                    if matches!(self.machine.files.get(&whole), Some(Entry::Directory)) { "/" } else { "" };
                format!("{folder}{name}{slash}")
            })
            .collect()
    }
}

fn words(all: &[&str]) -> Vec<String> {
    all.iter().map(|&word| word.to_owned()).collect()
}

/// Plural names of what an API server serves.
fn resources() -> Vec<String> {
    let served =
        Kind::EVERY.iter().map(|kind| kind.info()).filter(|info| info.domain() == Domain::Kubernetes);
    served.filter(|info| info.verbs.contains(&"get")).map(|info| info.plural.to_owned()).collect()
}

/// The flag that a word is, if what follows it is its value.
fn takes_value<'f>(word: &str, lists: &[&'f [Flag]]) -> Option<&'f Flag> {
    let flags = lists.iter().flat_map(|list| list.iter());
    let (long, short) =
        (word.strip_prefix("--"), word.strip_prefix('-').filter(|it| it.chars().count() == 1));
    flags
        .filter(|flag| matches!(flag.takes, Takes::Value | Takes::Int | Takes::Duration))
        .find(|flag| long == Some(flag.long) || short.is_some_and(|it| it.starts_with(flag.short)))
}

/// What follows a command's name, without flags and their values.
fn positional<'a>(args: &'a [String], lists: &[&[Flag]]) -> Vec<&'a str> {
    let mut rest = Vec::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if !arg.starts_with('-') {
            rest.push(arg.as_str());
        } else if takes_value(arg, lists).is_some() {
            args.next();
        }
    }
    rest
}

/// Kinds whose pods `logs` and its like find, as they are offered.
const WITH_PODS: &[&str] = &[
    "daemonsets/",
    "deployments/",
    "jobs/",
    "pods/",
    "replicasets/",
    "replicationcontrollers/",
    "services/",
    "statefulsets/",
];

fn slashed(kind: &str, names: Vec<String>) -> Vec<String> {
    names.into_iter().map(|name| format!("{kind}/{name}")).collect()
}

/// Resources, or the fields below what is typed of one: `pods.spec.`.
fn explained(word: &str) -> Vec<String> {
    let Some((path, _)) = word.rsplit_once('.') else { return resources() };
    kubectl::fields(path).into_iter().map(|field| format!("{path}.{field}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Output, run};

    fn lab() -> (Machine, World) {
        let (mut machine, mut world) = (Machine::default(), World::empty(1));
        for line in [
            "kind create cluster",
            "kubectl run web --image=nginx",
            "kubectl run web-2 --image=nginx",
            "kubectl create namespace shop",
            "echo x > pod.yaml",
            "mkdir parts",
            "alias k=kubectl",
            "sleep 60",
        ] {
            run(line, &mut machine, &mut world, &mut Output::default());
        }
        (machine, world)
    }

    #[test]
    fn a_word_is_completed_as_far_as_all_agree() {
        let (machine, world) = lab();
        for (typed, line) in [
            ("kub", "kubectl "),
            ("kubectl get po", "kubectl get pod"),
            ("kubectl get pods we", "kubectl get pods web"),
            ("kubectl get pods web-", "kubectl get pods web-2 "),
            ("kubectl describe pod/web-", "kubectl describe pod/web-2 "),
            ("kubectl get pods -n sh", "kubectl get pods -n shop "),
            ("kubectl -n sh", "kubectl -n shop "),
            ("kubectl get pods --namespace=sh", "kubectl get pods --namespace=shop "),
            ("kubectl get pods -o js", "kubectl get pods -o json"),
            ("kubectl get pods --sho", "kubectl get pods --show-"),
            ("kubectl apply -f po", "kubectl apply -f pod.yaml "),
            ("kubectl cordon kind", "kubectl cordon kind-control-plane "),
            ("kubectl rollout st", "kubectl rollout status "),
            ("kubectl config use-context k", "kubectl config use-context kind-kind "),
            ("cat pa", "cat parts/"),
            ("echo a | gr", "echo a | grep "),
            ("k get nodes kind", "k get nodes kind-control-plane "),
            ("lab tr", "lab trace "),
            ("lab fix web-", "lab fix web-2 "),
            ("lab trace pod/web-", "lab trace pod/web-2 "),
        ] {
            assert_eq!(complete(typed, &machine, &world).line, line, "{typed}");
        }
    }

    #[test]
    fn what_may_follow_is_offered_in_order_and_nothing_where_nothing_is_known() {
        let (machine, world) = lab();
        assert_eq!(complete("kubectl get pods ", &machine, &world).offers, ["web", "web-2"]);
        assert_eq!(complete("kubectl get pods -n shop ", &machine, &world).offers, [""; 0]);
        assert_eq!(
            complete("kubectl rollout ", &machine, &world).offers.first().map(String::as_str),
            Some("history")
        );
        assert_eq!(complete("echo 'kub", &machine, &world).line, "echo 'kub");
        assert_eq!(complete("파드 ", &machine, &world).offers, ["parts/", "pod.yaml"]);
    }
}
