//! What is in an image, and what does it do?
//!
//! A scenario's `sim/Image` objects come first, then this table, then a guess that is said to be one: 50 MB that run
//! for ever. Sizes are those that a kubelet prints (compressed layers).
//! Source of the sizes: the registries' manifests of the named tags (amd64).

use api::{SimDuration, kinds::sim::Image};

use crate::{ClusterId, Store, timing};

/// Size of an image that nobody described. MODEL: a middling application image.
const UNKNOWN_BYTES: u64 = 59_795_293;

/// Images by name, or by name and tag: bytes and the ports that they serve.
const KNOWN: &[(&str, u64, &[u16])] = &[
    ("alpine", 3_626_897, &[]),
    ("amazon-k8s-cni", 41_246_283, &[61678]),
    ("amazon-k8s-cni-init", 24_117_248, &[]),
    ("aws-network-policy-agent", 36_700_160, &[8162, 8163]),
    ("bash", 7_000_000, &[]),
    ("busybox", 2_222_260, &[]),
    ("coredns", 22_384_805, &[53, 8080, 8181, 9153]),
    ("curlimages/curl", 9_500_000, &[]),
    ("debian", 49_286_000, &[]),
    // MODEL: its size is an estimate, and that of metrics-server.
    ("eks-pod-identity-agent", 35_000_000, &[80, 2703]),
    ("etcd", 57_680_541, &[2379, 2380, 2381]),
    ("httpd", 58_000_000, &[80]),
    ("kindnetd", 38_996_835, &[]),
    ("kube-apiserver", 28_680_085, &[6443]),
    ("kube-controller-manager", 26_417_021, &[10257]),
    ("kube-proxy", 30_907_858, &[10249, 10256]),
    ("kube-scheduler", 20_657_902, &[10259]),
    ("local-path-provisioner", 22_000_000, &[]),
    ("metrics-server", 22_000_000, &[10251]),
    ("nginx", 59_795_293, &[80]),
    ("nginx:1.27", 72_188_133, &[80]),
    ("pause", 320_368, &[]),
    ("perl", 330_000_000, &[]),
    ("redis", 45_000_000, &[6379]),
    ("ubuntu", 29_700_000, &[]),
];

/// What a web server answers that has the files of its image only.
const FILES: &[(&str, u16)] = &[("/", 200), ("/index.html", 200), ("*", 404)];

/// Images that name a user.
const USERS: &[(&str, &str)] = &[
    ("pause", "65535:65535"),
    ("coredns", "nonroot"),
    ("nginx-unprivileged", "101"),
    ("memcached", "memcache"),
];

/// The last versions of images of Docker Hub's library, as of late 2025: a tag beyond them does not exist.
const VERSIONS: &[(&str, u32, u32)] = &[
    ("alpine", 3, 22),
    ("bash", 5, 3),
    ("busybox", 1, 37),
    ("debian", 13, 99),
    ("golang", 1, 25),
    ("httpd", 2, 4),
    ("mariadb", 12, 99),
    ("memcached", 1, 6),
    ("mongo", 8, 99),
    ("mysql", 9, 99),
    ("nginx", 1, 29),
    ("node", 25, 99),
    ("perl", 5, 42),
    ("php", 8, 99),
    ("postgres", 18, 99),
    ("python", 3, 14),
    ("rabbitmq", 4, 99),
    ("redis", 8, 99),
    ("ruby", 3, 99),
    ("ubuntu", 25, 99),
];

/// How tags of the library begin that are no versions.
const TAGS: &[&str] = &[
    "alpine",
    "bookworm",
    "bullseye",
    "buster",
    "current",
    "devel",
    "edge",
    "focal",
    "glibc",
    "jammy",
    "jdk",
    "jre",
    "latest",
    "lts",
    "mainline",
    "management",
    "musl",
    "noble",
    "oldstable",
    "otel",
    "perl",
    "rolling",
    "slim",
    "stable",
    "testing",
    "trixie",
    "uclibc",
    "unstable",
];

/// Images whose process does its work and ends well, and after how many milliseconds.
const ENDING: &[(&str, u64)] = &[("amazon-k8s-cni-init", 1500), ("hello-world", 10)];

/// The names under which Docker Hub's library holds images: a name without a slash that is not here does not exist.
/// Source: github.com/docker-library/official-images, `library/`, 2026.
const LIBRARY: &[&str] = &[
    "adminer",
    "aerospike",
    "almalinux",
    "alpine",
    "alt",
    "amazoncorretto",
    "amazonlinux",
    "api-firewall",
    "arangodb",
    "archlinux",
    "backdrop",
    "bash",
    "bonita",
    "buildpack-deps",
    "busybox",
    "caddy",
    "cassandra",
    "chronograf",
    "cirros",
    "clearlinux",
    "clickhouse",
    "clojure",
    "composer",
    "convertigo",
    "couchbase",
    "couchdb",
    "crate",
    "dart",
    "debian",
    "docker",
    "drupal",
    "eclipse-mosquitto",
    "eclipse-temurin",
    "eggdrop",
    "elasticsearch",
    "elixir",
    "emqx",
    "erlang",
    "fedora",
    "flink",
    "fluentd",
    "friendica",
    "gazebo",
    "gcc",
    "geonetwork",
    "ghost",
    "golang",
    "gradle",
    "groovy",
    "haproxy",
    "haskell",
    "haxe",
    "hello-world",
    "hitch",
    "httpd",
    "hylang",
    "ibm-semeru-runtimes",
    "ibmjava",
    "influxdb",
    "irssi",
    "jetty",
    "joomla",
    "jruby",
    "julia",
    "kapacitor",
    "kibana",
    "kong",
    "krakend",
    "lightstreamer",
    "liquibase",
    "logstash",
    "mageia",
    "mariadb",
    "matomo",
    "maven",
    "mediawiki",
    "memcached",
    "mongo",
    "mongo-express",
    "monica",
    "mysql",
    "nats",
    "nats-streaming",
    "neo4j",
    "neurodebian",
    "nextcloud",
    "nginx",
    "node",
    "odoo",
    "open-liberty",
    "openjdk",
    "oraclelinux",
    "orientdb",
    "percona",
    "perl",
    "phpmyadmin",
    "photon",
    "php",
    "plone",
    "postfixadmin",
    "postgres",
    "pypy",
    "python",
    "r-base",
    "rabbitmq",
    "rakudo-star",
    "redis",
    "redmine",
    "registry",
    "rethinkdb",
    "rocket.chat",
    "rockylinux",
    "ros",
    "ruby",
    "rust",
    "sapmachine",
    "satosa",
    "scratch",
    "silverpeas",
    "sl",
    "solr",
    "sonarqube",
    "spark",
    "spiped",
    "storm",
    "swift",
    "swipl",
    "teamspeak",
    "telegraf",
    "tomcat",
    "tomee",
    "traefik",
    "ubuntu",
    "unit",
    "varnish",
    "websphere-liberty",
    "wordpress",
    "xwiki",
    "yourls",
    "znc",
    "zookeeper",
];

/// What is known of an image as a pod names it.
#[must_use]
pub fn of(store: &Store, image: &str) -> Image {
    let (repository, tagged) = (without_tag(image), image);
    let given = |name: &str| store.get::<Image>(ClusterId::WORLD, "", name).cloned();
    if let Some(image) = given(tagged).or_else(|| given(repository)).or_else(|| patterned(store, tagged)) {
        return image;
    }
    let last = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
    let find = |name: &str| KNOWN.iter().find(|(known, ..)| *known == name);
    let known = find(&last(tagged)).or_else(|| find(repository)).or_else(|| find(&last(repository)));
    let (size, ports) = known.map_or((UNKNOWN_BYTES, [].as_slice()), |(_, size, ports)| (*size, *ports));
    let ends_after = ENDING.iter().find(|(name, _)| last(repository) == *name).map(|(_, after)| *after);
    let missing = !repository.contains('/') && !LIBRARY.contains(&repository);
    let root = LIBRARY.contains(&repository) || known.is_some();
    // MODEL: who wrote an image of their own has it run as some user; those of Docker Hub's library begin as root.
    let user = USERS.iter().find(|(name, _)| last(repository) == *name).map(|(_, user)| (*user).to_owned());
    let user = user.or((!root).then(|| "65532".to_owned()));
    let serves_files = ["nginx", "httpd"].contains(&last(repository).as_str());
    let pages: &[(&str, u16)] = if serves_files { FILES } else { &[] };
    let answers = pages.iter().map(|(path, code)| ((*path).to_owned(), *code)).collect();
    Image { size, ports: ports.to_vec(), ends_after, missing, user, answers, ..Image::default() }
}

/// What the registry says of an image that cannot be pulled.
///
/// MODEL: which tags exist is known of Docker Hub's library only.
#[must_use]
pub fn refusal(named: &str, image: &Image) -> Option<String> {
    let full = canonical(named);
    let unpack = format!("failed to pull and unpack image {full:?}: failed to resolve reference {full:?}");
    let registry = full.split('/').next().unwrap_or_default();
    let not_found = format!("rpc error: code = NotFound desc = {unpack}: {full}: not found");
    let public =
        registry == "registry.k8s.io" || registry.ends_with(".amazonaws.com") || registry == "public.ecr.aws";
    if image.missing && !public {
        return Some(format!(
            "{unpack}: pull access denied, repository does not exist or may require authorization: server message: \
             insufficient_scope: authorization failed"
        ));
    }
    let described = image.metadata.name.is_some();
    (image.missing || (!described && has_no_such_tag(named))).then_some(not_found)
}

fn has_no_such_tag(named: &str) -> bool {
    let repository = without_tag(named);
    let tag = named.strip_prefix(repository).and_then(|rest| rest.strip_prefix(':'));
    let (Some(tag), true) = (tag, LIBRARY.contains(&repository)) else { return false };
    let mut numbers = tag.split(['.', '-']).map(str::parse::<u32>);
    let (first, second) = (numbers.next().and_then(Result::ok), numbers.next().and_then(Result::ok));
    match (first, VERSIONS.iter().find(|(name, ..)| *name == repository)) {
        (Some(major), Some((_, last, minor))) => (major, second.unwrap_or(0)) > (*last, *minor),
        (Some(_), None) => false,
        (None, _) => {
            !TAGS.contains(&tag.split(['-', '.']).next().unwrap_or_default()) && !tag.starts_with('v')
        }
    }
}

/// What is wrong with a reference, as the parser of references says it.
/// Source: `github.com/distribution/reference` (`ParseNormalizedNamed`).
#[must_use]
pub fn malformed(named: &str) -> Option<String> {
    let (first, rest) = named.split_once('/').unwrap_or(("", named));
    let has_domain = first.contains(['.', ':']) || first == "localhost" || first.to_lowercase() != first;
    let path = match (has_domain && !first.is_empty(), first) {
        (true, _) => rest.to_owned(),
        (false, "") => format!("library/{rest}"),
        (false, _) => named.to_owned(),
    };
    let repository = without_tag(&path);
    if repository.chars().any(|letter| letter.is_ascii_uppercase()) {
        return Some(format!("invalid reference format: repository name ({repository}) must be lowercase"));
    }
    let letter = |it: char| it.is_ascii_alphanumeric() || matches!(it, '.' | '_' | '-');
    let well = |part: &str| {
        !part.is_empty()
            && part.chars().all(letter)
            && part.starts_with(|it: char| it.is_ascii_alphanumeric())
            && part.ends_with(|it: char| it.is_ascii_alphanumeric())
    };
    let tag =
        path.split('@').next().and_then(|it| it.strip_prefix(repository)).and_then(|it| it.strip_prefix(':'));
    let tag_is_well = tag.is_none_or(|tag| !tag.is_empty() && tag.len() <= 128 && tag.chars().all(letter));
    let fits = repository.split('/').all(well) && tag_is_well;
    (!fits).then(|| "invalid reference format".to_owned())
}

/// How long its pull takes.
#[must_use]
pub fn pull_time(image: &Image) -> SimDuration {
    let needed = timing::PULL_BASE.0 + image.size / timing::PULL_BYTES_PER_MILLI;
    SimDuration(image.pull_takes.unwrap_or(needed))
}

/// The longest of the scenario's patterns that fits.
fn patterned(store: &Store, image: &str) -> Option<Image> {
    let all = store.list::<Image>(ClusterId::WORLD, None);
    let name = |image: &Image| image.metadata.name.clone().unwrap_or_default();
    all.filter(|entry| fits(&name(entry), image)).max_by_key(|entry| name(entry).len()).cloned()
}

/// Whether `text` is `pattern` with any letters for each `*`.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return false };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    text.ends_with(last)
}

/// The image without its tag or digest.
#[must_use]
pub fn without_tag(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or(image);
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => image,
    }
}

/// The digest of an image that the runtime names so: made up.
#[must_use]
pub fn digest(full: &str) -> String {
    crate::draw::hex(0, "image", full, 0, 64)
}

/// As the runtime names it: with registry and tag.
#[must_use]
pub fn canonical(image: &str) -> String {
    let tagged = if without_tag(image) == image && !image.contains('@') {
        format!("{image}:latest")
    } else {
        image.to_owned()
    };
    let first = tagged.split('/').next().unwrap_or_default();
    let has_registry =
        tagged.contains('/') && (first.contains('.') || first.contains(':') || first == "localhost");
    match (has_registry, tagged.contains('/')) {
        (true, _) => tagged,
        (false, true) => format!("docker.io/{tagged}"),
        (false, false) => format!("docker.io/library/{tagged}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runtime_names_an_image_in_full() {
        assert_eq!(canonical("nginx"), "docker.io/library/nginx:latest");
        assert_eq!(canonical("curlimages/curl:8.0"), "docker.io/curlimages/curl:8.0");
        assert_eq!(canonical("registry.k8s.io/pause:3.10"), "registry.k8s.io/pause:3.10");
    }

    #[test]
    fn a_misspelt_name_of_the_library_is_missing() {
        let store = Store::default();
        assert!(of(&store, "ngnix:1.27").missing);
        assert!(!of(&store, "postgres").missing);
        assert!(!of(&store, "someone/ngnix").missing);
    }

    /// Expected: containerd `core/remotes/docker/resolver.go`; `k8s.io/cri-client` keeps the code of all but `Unknown`.
    #[test]
    fn a_tag_that_does_not_exist_is_not_found() {
        let store = Store::default();
        let refused = |named: &str| refusal(named, &of(&store, named));
        let full = "docker.io/library/nginx:1.99";
        let want = format!(
            "rpc error: code = NotFound desc = failed to pull and unpack image \"{full}\": failed to resolve reference \
             \"{full}\": {full}: not found"
        );
        assert_eq!(refused("nginx:1.99"), Some(want));
        for there in ["nginx", "nginx:1.27-alpine", "nginx:alpine", "busybox:1.28", "postgres:16", "me/app:x"]
        {
            assert_eq!(refused(there), None, "{there}");
        }
        assert!(refused("nginx:nope").is_some() && refused("nope").is_some());
    }

    /// Expected: `github.com/distribution/reference`.
    #[test]
    fn a_name_that_is_none_is_refused_before_it_is_pulled() {
        let lower = "invalid reference format: repository name (library/NGINX) must be lowercase";
        assert_eq!(malformed("NGINX").as_deref(), Some(lower));
        assert_eq!(malformed("nginx:1 .27").as_deref(), Some("invalid reference format"));
        assert_eq!(malformed("nginx:").as_deref(), Some("invalid reference format"));
        for well in
            ["nginx", "nginx:1.27", "localhost:5000/a/b:1", "a/b@sha256:0123", "registry.k8s.io/pause:3.10"]
        {
            assert_eq!(malformed(well), None, "{well}");
        }
    }

    #[test]
    fn a_pattern_stands_for_any_letters() {
        assert!(fits("*nope*", "nope/web:1.0") && fits("*", "nginx") && fits("a*c", "abc"));
        assert!(!fits("*nope*", "nginx") && !fits("nginx", "nginx") && !fits("a*c", "ab"));
    }

    #[test]
    fn an_image_is_known_wherever_it_comes_from() {
        let store = Store::default();
        assert_eq!(of(&store, "registry.k8s.io/pause:3.10").size, 320_368);
        assert_eq!(of(&store, "nginx:1.27").size, 72_188_133);
        assert_eq!(of(&store, "public.ecr.aws/nginx/nginx:1.25").ports, [80]);
    }
}
