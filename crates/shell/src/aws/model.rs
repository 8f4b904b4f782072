//! Which operations do the services have, and what do they take and answer?
//!
//! `data/aws-services.txt` holds the shapes of the service models: the command line reads its options from them as the real one
//! does, and answers are printed in the order of their members. A service of the model is not a service of the lab:
//! [`cluster::cloud::answers`] says that.
//! Source: botocore, `data/*/service-2.json`; the names of options: botocore `xform_name`.

use std::{collections::BTreeMap, sync::OnceLock};

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Type {
    /// Text, also times in an input.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Double,
    /// A moment.
    Timestamp,
    /// True or false: an option without a value.
    Boolean,
    /// Several.
    List(Box<Type>),
    /// Several by name.
    Map(Box<Type>),
    /// A shape of the service.
    Structure(&'static str),
}

/// A member of a shape.
#[derive(Clone, Debug)]
pub(super) struct Member {
    /// As the service names it.
    pub name: &'static str,
    pub required: bool,
    pub of: Type,
}

/// One operation.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    /// As the service names it: `DescribeNodegroup`.
    pub name: &'static str,
    /// Shape of its parameters.
    pub input: &'static str,
    /// Shape of its answer.
    pub output: &'static str,
}

/// One service.
#[derive(Clone, Debug, Default)]
pub(super) struct Service {
    /// As one types it: `eks`.
    pub name: &'static str,
    /// By name.
    pub operations: Vec<Operation>,
    shapes: BTreeMap<&'static str, Vec<Member>>,
}

impl Service {
    /// Members of a shape, in the model's order; none of `-`.
    pub fn members(&self, shape: &str) -> &[Member] {
        self.shapes.get(shape).map(Vec::as_slice).unwrap_or_default()
    }

    /// The operation with this command: `describe-nodegroup`.
    pub fn operation(&self, command: &str) -> Option<&Operation> {
        self.operations.iter().find(|it| dashed(it.name) == command)
    }
}

/// Every service of the model.
pub(super) fn services() -> &'static [Service] {
    static SERVICES: OnceLock<Vec<Service>> = OnceLock::new();
    SERVICES.get_or_init(|| read(include_str!("../../data/aws-services.txt")))
}

/// The service with this name.
pub(super) fn service(name: &str) -> Option<&'static Service> {
    services().iter().find(|it| it.name == name)
}

fn read(text: &'static str) -> Vec<Service> {
    let mut services: Vec<Service> = Vec::new();
    for line in text.lines() {
        let mut words = line.split(' ');
        match (words.next(), words.next()) {
            (Some("service"), Some(name)) => services.push(Service { name, ..Service::default() }),
            (Some("operation"), Some(name)) => {
                let (input, output) = (words.next().unwrap_or("-"), words.next().unwrap_or("-"));
                services.last_mut().into_iter().for_each(|it| {
                    it.operations.push(Operation { name, input, output });
                });
            }
            (Some("shape"), Some(name)) => {
                let members: Vec<Member> = words.filter_map(member).collect();
                services.last_mut().into_iter().for_each(|it| {
                    it.shapes.insert(name, members.clone());
                });
            }
            _ => {}
        }
    }
    services
}

fn member(word: &'static str) -> Option<Member> {
    let (name, of) = word.split_once(':')?;
    let (name, required) = name.strip_suffix('!').map_or((name, false), |name| (name, true));
    Some(Member { name, required, of: kind(of) })
}

fn kind(of: &'static str) -> Type {
    let within = |open, close| of.strip_prefix(open).and_then(|of: &str| of.strip_suffix(close));
    match of {
        "string" => Type::Text,
        "integer" => Type::Integer,
        "double" => Type::Double,
        "timestamp" => Type::Timestamp,
        "boolean" => Type::Boolean,
        shape => match (within('[', ']'), within('{', '}')) {
            (Some(item), _) => Type::List(Box::new(kind(item))),
            (_, Some(item)) => Type::Map(Box::new(kind(item))),
            (None, None) => Type::Structure(shape),
        },
    }
}

/// A name as the command line has it: `describe-nodegroup` of `DescribeNodegroup`.
pub(super) fn dashed(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (i, letter) in letters.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|i| letters.get(i));
        let begins = before.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
            || before.is_some() && letters.get(i + 1).is_some_and(char::is_ascii_lowercase);
        if letter.is_ascii_uppercase() && begins {
            out.push('-');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_dashed_as_botocore_does() {
        for (name, wanted) in [
            ("DescribeNodegroup", "describe-nodegroup"),
            ("clusterName", "cluster-name"),
            ("EnableResourceNameDnsAAAARecord", "enable-resource-name-dns-aaaa-record"),
            ("GetSubnetCidrReservations", "get-subnet-cidr-reservations"),
            ("VPCZoneIdentifier", "vpc-zone-identifier"),
            ("Ipv6CidrBlock", "ipv6-cidr-block"),
        ] {
            assert_eq!(dashed(name), wanted);
        }
    }

    #[test]
    fn every_shape_that_is_named_is_there() {
        for service in services() {
            let named =
                service.operations.iter().flat_map(|it| [it.input, it.output]).filter(|it| *it != "-");
            for shape in named {
                assert!(service.shapes.contains_key(shape), "{} {shape}", service.name);
            }
            for member in service.shapes.values().flatten() {
                let mut of = &member.of;
                while let Type::List(item) | Type::Map(item) = of {
                    of = item;
                }
                if let Type::Structure(shape) = of {
                    assert!(service.shapes.contains_key(shape), "{} {shape}", service.name);
                }
            }
        }
        assert!(service("eks").is_some_and(|eks| eks.operation("describe-nodegroup").is_some()));
    }
}
