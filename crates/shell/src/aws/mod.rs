//! What does `aws` print?
//!
//! The command line is read by the service's [`model`]: any operation of it that [`cluster::cloud::answers`] is a request to the world,
//! and its answer is printed in the model's order. A further operation is a function and a line in `cluster::cloud::service`; nothing is to
//! be added here. Refusals of a service end with status 254, of the command line with 252, a missing configuration with 253.
//! Source: AWS CLI 2.24.0, `awscli/clidriver.py`, `errorhandler.py`, `customizations/eks`.

mod kubeconfig;
mod model;
mod order;
mod parameters;
mod shorthand;
mod show;
mod simplified;
mod table;
mod wait;

use cluster::{Principal, Refusal, Reply, Request, cloud, request::AwsRequest};

use crate::{eval::Flow, output::Hint, tool::Call};
use parameters::{Line, Wrong};

const USAGE: &str = "aws [options] <command> <subcommand> [<subcommand> ...] [parameters]\nTo see help text, you can run:\n\n  aws help\n  aws <command> help\n  aws <command> <subcommand> help\n";

/// `aws SERVICE OPERATION …`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let args = std::mem::take(&mut call.args);
    Ok(match Line::read(&args) {
        Ok(line) => dispatch(call, &line),
        Err(wrong) => usage(call, &wrong),
    })
}

/// The services that the lab knows.
pub(crate) fn services() -> Vec<String> {
    model::services().iter().map(|it| it.name.to_owned()).collect()
}

/// The operations of a service that the lab answers, as one types them.
pub(crate) fn operations(service: &str) -> Vec<String> {
    let Some(service) = model::service(service) else { return Vec::new() };
    let answered = service.operations.iter().filter(|it| cloud::answers(service.name, it.name));
    let mut all: Vec<String> = answered.map(|it| model::dashed(it.name)).collect();
    if service.name == "eks" {
        all.push("update-kubeconfig".to_owned());
    }
    if !wait::conditions(service.name).is_empty() {
        all.push("wait".to_owned());
    }
    all.sort();
    all
}

fn dispatch(call: &mut Call<'_, '_>, line: &Line) -> i32 {
    if line.global("version").is_some() {
        call.out.line("aws-cli/2.24.0 Python/3.12.6 Linux/6.1.0 exe/x86_64");
        return 0;
    }
    let required = |what: &str| Wrong::Usage(format!("the following arguments are required: {what}"));
    let words: Vec<&str> = line.words.iter().map(String::as_str).collect();
    let (service, command) = match words.as_slice() {
        [] => return usage(call, &required("command")),
        ["eks", "update-kubeconfig", ..] => return kubeconfig::update(call, line),
        [service] if model::service(service).is_some() => return usage(call, &required("operation")),
        [service] => return not_here(call, service),
        [service, command, ..] => (*service, *command),
    };
    let model = model::service(service);
    if let Some(model) = model.filter(|_| command == "wait") {
        return wait::wait(call, line, model);
    }
    let operation = model.and_then(|model| model.operation(command));
    let (Some(model), Some(operation)) = (model, operation) else {
        return not_here(call, &format!("{service} {command}"));
    };
    if !cloud::answers(model.name, operation.name) {
        return not_here(call, &format!("{service} {command}"));
    }
    let mut line = line.clone();
    let simple = match operation.name.contains("SecurityGroupIngress")
        || operation.name.contains("SecurityGroupEgress")
    {
        true => simplified::permission(&mut line),
        false => Ok(None),
    };
    let input = simple.and_then(|simple| {
        let mut input = line.input(model, operation, call.shell.machine)?;
        if let Some(simple) = simple {
            input["IpPermissions"] = simple;
        }
        Ok(input)
    });
    let input = match input {
        Ok(input) => input,
        Err(wrong) => return usage(call, &wrong),
    };
    let line = &line;
    let request = AwsRequest { service: model.name, action: operation.name, input };
    match call.shell.world.request(&Principal::admin(), Request::Aws(request)) {
        Ok(Reply::Value(answer)) => {
            show::show(call, line, model, (operation.name, operation.output), &answer)
        }
        Ok(Reply::Object(_) | Reply::List(_)) => 0,
        Err(refusal) => refused(call, &refusal),
    }
}

/// What the real CLI has, or may have, and the lab has not.
fn not_here(call: &mut Call<'_, '_>, what: &str) -> i32 {
    let known = match what.split_once(' ') {
        Some((service, typed)) => (typed, operations(service)),
        None => (what, services()),
    };
    let nearest = crate::tool::nearest(known.0, known.1.iter().map(String::as_str));
    if nearest.is_empty() {
        call.out.hint(Hint::NotSimulated { what: format!("aws {what}") });
    } else {
        call.out.hint(Hint::UnknownCommand { name: format!("aws {what}"), nearest });
    }
    call.out.err(&format!("lab: aws {what} is not available in this lab yet"));
    252
}

fn refused(call: &mut Call<'_, '_>, refusal: &Refusal) -> i32 {
    call.out.err(&match refusal {
        Refusal::Aws(error) => format!("\n{error}"),
        other => other.to_string(),
    });
    254
}

/// A line that is refused before anything is asked.
fn usage(call: &mut Call<'_, '_>, wrong: &Wrong) -> i32 {
    match wrong {
        Wrong::Usage(why) => call.out.err(&format!("\nusage: {USAGE}\naws: error: {why}\n")),
        Wrong::Unknown(why) => call.out.err(&format!("\nusage: {USAGE}\n{why}\n")),
        Wrong::Value(why) => call.out.err(&format!("\n{why}")),
        Wrong::NotSimulated(what) => {
            call.out.hint(Hint::NotSimulated { what: what.clone() });
            call.out.err(&format!("lab: {what} is not available in this lab yet"));
        }
    }
    // UPSTREAM: what Python itself complains of has the general status.
    match wrong {
        Wrong::Value(why) if why.starts_with("invalid literal") || why.starts_with("could not convert") => {
            255
        }
        _ => 252,
    }
}
