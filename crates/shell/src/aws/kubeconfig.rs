//! `aws eks update-kubeconfig`: a command that the CLI adds to the service's own.
//!
//! Source: AWS CLI 2, `awscli/customizations/eks/update_kubeconfig.py`.

use cluster::{Principal, Request, request::AwsRequest};
use serde_json::json;

use super::{
    parameters::{Line, Wrong},
    refused, usage,
};
use crate::{
    kubectl::{config::files, known},
    tool::Call,
};

/// Options of the real command that the lab does not have.
const NOT_HERE: [&str; 4] = ["role-arn", "dry-run", "verbose", "user-alias"];

pub(super) fn update(call: &mut Call<'_, '_>, line: &Line) -> i32 {
    let Some(name) = line.own("name") else {
        return usage(call, &Wrong::Usage("the following arguments are required: --name".to_owned()));
    };
    let other = line
        .own
        .iter()
        .map(|(option, _)| option.as_str())
        .find(|it| !matches!(*it, "name" | "alias" | "kubeconfig"));
    match other {
        Some(it) if NOT_HERE.contains(&it) => {
            return usage(call, &Wrong::NotSimulated(format!("aws eks update-kubeconfig --{it}")));
        }
        Some(it) => return usage(call, &Wrong::Unknown(format!("Unknown options: --{it}"))),
        None => {}
    }
    let request = AwsRequest { service: "eks", action: "DescribeCluster", input: json!({"name": name}) };
    if let Err(refusal) = call.shell.world.request(&Principal::admin(), Request::Aws(request)) {
        return refused(call, &refusal);
    }
    let (context, entry, user) = known::by_aws(call.shell.world, name, line.own("alias"));
    let shown = context.name.clone();
    let file = line.own("kubeconfig");
    let lies = call.shell.machine.path(&files::default(call.shell, file));
    let files = match files::open(call.shell, file) {
        Ok(files) => files,
        Err(why) => return usage(call, &Wrong::Usage(why)),
    };
    let new = call.shell.machine.kubeconfig.add(context, entry, user);
    if let Some(files) = files {
        files.close(call.shell);
    }
    let verb = if new { "Added new context" } else { "Updated context" };
    let word = if new { "to" } else { "in" };
    call.out.line(&format!("{verb} {shown} {word} {lies}"));
    0
}
