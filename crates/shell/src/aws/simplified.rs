//! The simple options of `aws ec2 authorize-security-group-…` and `revoke-security-group-…`: one rule without JSON.
//!
//! Source: AWS CLI 2, `awscli/customizations/ec2/secgroupsimplify.py`.

use serde_json::{Map, Value, json};

use super::parameters::{Line, Wrong};

const OPTIONS: [&str; 5] = ["protocol", "port", "cidr", "source-group", "group-owner"];

/// Takes the simple options out of a line; the permission that they describe, if there are any.
/// # Errors
/// A value that is none, or `--ip-permissions` beside them.
pub(super) fn permission(line: &mut Line) -> Result<Option<Value>, Wrong> {
    let whole = line.own.iter().any(|(name, _)| name == "ip-permissions");
    let (simple, rest) =
        std::mem::take(&mut line.own).into_iter().partition(|(name, _)| OPTIONS.contains(&name.as_str()));
    let simple: Vec<(String, Vec<String>)> = simple;
    line.own = rest;
    if let Some((name, _)) = simple.first().filter(|_| whole) {
        let why = format!("The --{name} option is not compatible with the --ip-permissions option ");
        return Err(Wrong::Value(why));
    }
    let mut permission = Map::new();
    let mut pair = Map::new();
    for (name, values) in &simple {
        let Some(value) = values.first() else {
            return Err(Wrong::Usage(format!("argument --{name}: expected one argument")));
        };
        match name.as_str() {
            "protocol" => {
                permission.insert("IpProtocol".to_owned(), json!(protocol(value)?));
            }
            "port" => {
                let (first, last) = ports(value)?;
                permission.insert("FromPort".to_owned(), json!(first));
                permission.insert("ToPort".to_owned(), json!(last));
            }
            "cidr" => {
                permission.insert("IpRanges".to_owned(), json!([{"CidrIp": value}]));
            }
            "source-group" => {
                let by = if value.starts_with("sg-") { "GroupId" } else { "GroupName" };
                pair.insert(by.to_owned(), json!(value));
            }
            _ => {
                pair.insert("UserId".to_owned(), json!(value));
            }
        }
    }
    if !pair.is_empty() {
        permission.insert("UserIdGroupPairs".to_owned(), json!([pair]));
    }
    Ok((!permission.is_empty()).then(|| json!([permission])))
}

fn protocol(value: &str) -> Result<String, Wrong> {
    match value.parse::<i64>() {
        Ok(-1..=255) => Ok(value.to_owned()),
        Ok(_) => Err(Wrong::Value(
            "protocol numbers must be in the range 0-255 or -1 to specify all protocols".to_owned(),
        )),
        Err(_) if value == "all" => Ok("-1".to_owned()),
        Err(_) if matches!(value, "tcp" | "udp" | "icmp") => Ok(value.to_owned()),
        Err(_) => Err(Wrong::Value(
            "protocol parameter should be one of: tcp|udp|icmp|all or any valid protocol number.".to_owned(),
        )),
    }
}

fn ports(value: &str) -> Result<(i64, i64), Wrong> {
    let (first, last) = match value {
        "-1" | "all" => ("-1", "-1"),
        range => range.split_once('-').unwrap_or((range, range)),
    };
    match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) => Ok((first, last)),
        _ => Err(Wrong::Value(
            "port parameter should be of the form <from[-to]> (e.g. 22 or 22-25)".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Option<Value>, Wrong> {
        let args: Vec<String> = text.split(' ').map(str::to_owned).collect();
        permission(&mut Line::read(&args)?)
    }

    #[test]
    fn simple_options_are_one_permission() {
        let line = "ec2 authorize-security-group-ingress --group-id sg-1";
        assert_eq!(
            of(&format!("{line} --protocol tcp --port 443 --cidr 10.0.0.0/8")),
            Ok(Some(
                json!([{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}])
            ))
        );
        assert_eq!(
            of(&format!("{line} --protocol all --source-group sg-2")),
            Ok(Some(json!([{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-2"}]}])))
        );
        assert_eq!(of(line), Ok(None));
        for (wrong, words) in [
            ("--port x", "port parameter should be of the form"),
            ("--protocol tpc", "protocol parameter should be one of"),
            ("--protocol 999", "protocol numbers must be in the range"),
            ("--ip-permissions [] --port 1", "The --port option is not compatible"),
        ] {
            let why = of(&format!("{line} {wrong}"));
            assert!(matches!(&why, Err(Wrong::Value(why)) if why.starts_with(words)), "{why:?}");
        }
    }
}
