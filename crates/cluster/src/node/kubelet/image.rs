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
    ("etcd", 57_680_541, &[2379, 2380, 2381]),
    ("httpd", 58_000_000, &[80]),
    ("kindnetd", 38_996_835, &[]),
    ("kube-apiserver", 28_680_085, &[6443]),
    ("kube-controller-manager", 26_417_021, &[10257]),
    ("kube-proxy", 30_907_858, &[10249, 10256]),
    ("kube-scheduler", 20_657_902, &[10259]),
    ("local-path-provisioner", 22_000_000, &[]),
    ("nginx", 59_795_293, &[80]),
    ("nginx:1.27", 72_188_133, &[80]),
    ("pause", 320_368, &[]),
    ("perl", 330_000_000, &[]),
    ("redis", 45_000_000, &[6379]),
    ("ubuntu", 29_700_000, &[]),
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
    Image { size, ports: ports.to_vec(), ends_after, missing, ..Image::default() }
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
