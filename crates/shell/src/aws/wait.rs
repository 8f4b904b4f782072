//! `aws SERVICE wait …`: asks again and again until a condition holds.
//!
//! Source: botocore `waiter.py` and `data/*/waiters-2.json`, in `data/aws-waiters.txt`; AWS CLI 2, `awscli/customizations/waiters.py`.

use std::sync::OnceLock;

use api::SimDuration;
use cluster::{AwsError, Principal, Refusal, Reply, Request, request::AwsRequest};
use serde_json::{Value, json};

use super::{
    model::{self, Service, dashed},
    parameters::{Line, Wrong},
    usage,
};
use crate::tool::Call;

/// What ends a wait.
struct Acceptor {
    /// `path`, `pathAll`, `pathAny`, `status` or `error`.
    matcher: &'static str,
    argument: &'static str,
    expected: &'static str,
    /// `success`, `failure` or `retry`.
    state: &'static str,
}

/// One waiter of a service.
pub(super) struct Waiter {
    service: &'static str,
    name: &'static str,
    operation: &'static str,
    delay: SimDuration,
    attempts: u32,
    acceptors: Vec<Acceptor>,
}

fn every() -> &'static [Waiter] {
    static WAITERS: OnceLock<Vec<Waiter>> = OnceLock::new();
    WAITERS.get_or_init(|| read(include_str!("../../data/aws-waiters.txt")))
}

fn read(text: &'static str) -> Vec<Waiter> {
    let mut waiters: Vec<Waiter> = Vec::new();
    for line in text.lines() {
        match line.split('\t').collect::<Vec<_>>().as_slice() {
            ["waiter", service, name, operation, delay, attempts] => waiters.push(Waiter {
                service,
                name,
                operation,
                delay: SimDuration::secs(delay.parse().unwrap_or_default()),
                attempts: attempts.parse().unwrap_or_default(),
                acceptors: Vec::new(),
            }),
            ["on", matcher, argument, expected, state] => {
                if let Some(waiter) = waiters.last_mut() {
                    waiter.acceptors.push(Acceptor { matcher, argument, expected, state });
                }
            }
            _ => {}
        }
    }
    waiters
}

/// What one can wait for with a service, as one types it.
pub(super) fn conditions(service: &str) -> Vec<String> {
    every().iter().filter(|it| it.service == service).map(|it| dashed(it.name)).collect()
}

type Looked = Result<Value, AwsError>;

impl Acceptor {
    fn matches(&self, looked: &Looked) -> bool {
        let found = || {
            let expression = jmespath::compile(self.argument).ok()?;
            serde_json::to_value(&*expression.search(looked.as_ref().ok()?).ok()?).ok()
        };
        // `true` is the only value that is no text.
        let expected = if self.expected == "true" { json!(true) } else { json!(self.expected) };
        let items = || found().and_then(|it| it.as_array().cloned()).unwrap_or_default();
        match self.matcher {
            "path" => found() == Some(expected),
            "pathAll" => !items().is_empty() && items().iter().all(|it| *it == expected),
            "pathAny" => items().contains(&expected),
            "status" => looked.is_ok(),
            "error" => looked.as_ref().is_err_and(|error| error.code == self.expected),
            _ => false,
        }
    }

    fn explanation(&self) -> String {
        let Self { argument, expected, .. } = self;
        match self.matcher {
            "path" => format!("For expression \"{argument}\" we matched expected path: \"{expected}\""),
            "pathAll" => {
                format!("For expression \"{argument}\" all members matched expected path: \"{expected}\"")
            }
            "pathAny" => {
                let matched = format!("For expression \"{argument}\" we matched expected path");
                format!("{matched}: \"{expected}\" at least once")
            }
            "status" => format!("Matched expected HTTP status code: {expected}"),
            _ => format!("Matched expected service error code: {expected}"),
        }
    }
}

/// `aws SERVICE wait CONDITION …`.
pub(super) fn wait(call: &mut Call<'_, '_>, line: &Line, service: &Service) -> i32 {
    let Some(condition) = line.words.get(2) else {
        return usage(call, &Wrong::Usage("the following arguments are required: subcommand".to_owned()));
    };
    let mut of = every().iter().filter(|it| it.service == service.name);
    let Some(waiter) = of.find(|it| dashed(it.name) == *condition) else {
        return super::not_here(call, &format!("{} wait {condition}", service.name));
    };
    let Some(operation) = service.operation(&dashed(waiter.operation)) else { return 252 };
    let mut rest = line.clone();
    rest.words.remove(1);
    let input = match rest.input(service, operation, call.shell.machine) {
        Ok(input) => input,
        Err(wrong) => return usage(call, &wrong),
    };
    match wait_for(call, waiter, operation, &input) {
        Ok(()) => 0,
        Err(why) => {
            call.out.err(&format!("\nWaiter {} failed: {why}", waiter.name));
            255
        }
    }
}

fn wait_for(
    call: &mut Call<'_, '_>,
    waiter: &Waiter,
    operation: &model::Operation,
    input: &Value,
) -> Result<(), String> {
    let mut last: Option<&Acceptor> = None;
    for attempt in 1.. {
        let request = AwsRequest { service: waiter.service, action: operation.name, input: input.clone() };
        let looked = match call.shell.world.request(&Principal::admin(), Request::Aws(request)) {
            Ok(Reply::Value(answer)) => Ok(answer),
            Ok(Reply::Object(_) | Reply::List(_)) => Ok(json!({})),
            Err(Refusal::Aws(error)) => Err(error),
            Err(other) => return Err(other.to_string()),
        };
        let met = waiter.acceptors.iter().find(|it| it.matches(&looked));
        match (met, &looked) {
            (Some(acceptor), _) if acceptor.state == "success" => return Ok(()),
            (Some(acceptor), _) if acceptor.state == "failure" => {
                let why = acceptor.explanation();
                return Err(format!("Waiter encountered a terminal failure state: {why}"));
            }
            (None, Err(error)) => {
                return Err(format!("An error occurred ({}): {}", error.code, error.message));
            }
            _ => {}
        }
        last = met.or(last);
        if attempt >= waiter.attempts {
            return Err(match last {
                Some(acceptor) => {
                    format!("Max attempts exceeded. Previously accepted state: {}", acceptor.explanation())
                }
                None => "Max attempts exceeded".to_owned(),
            });
        }
        let before = call.shell.world.now();
        call.shell.sleep_until(before + waiter.delay, call.out);
        if call.shell.world.now() < before + waiter.delay {
            // `timeout` ended it, or the world has had its steps.
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Machine, Output, run, text::tests::sh};

    #[test]
    fn every_waiter_asks_an_operation_of_its_service_and_every_expression_is_one() {
        for waiter in every() {
            let service = model::service(waiter.service).expect("a service");
            assert!(service.operation(&dashed(waiter.operation)).is_some(), "{}", waiter.name);
            assert!(waiter.attempts > 0 && !waiter.acceptors.is_empty(), "{}", waiter.name);
            for it in waiter.acceptors.iter().filter(|it| it.matcher.starts_with("path")) {
                assert!(jmespath::compile(it.argument).is_ok(), "{}", it.argument);
            }
        }
    }

    #[test]
    fn what_is_not_there_ends_a_wait_at_once_or_is_what_was_waited_for() {
        let (_, err, status) = sh("aws eks wait cluster-active --name lab");
        let why = "An error occurred (ResourceNotFoundException): No cluster found for name: lab.";
        assert_eq!((err, status), (format!("\nWaiter ClusterActive failed: {why}\n"), 255));
        assert_eq!(sh("aws eks wait cluster-deleted --name lab").2, 0);
        assert_eq!(sh("aws eks wait cluster-active").2, 252);
        assert!(sh("aws eks wait cluster-ripe --name lab").1.contains("not available"));
    }

    /// A cluster of two zones without nodes; what the lines say, and how long they took in seconds.
    fn after_eksctl(lines: &str) -> (String, u64) {
        let (mut machine, mut world) = (Machine::default(), cluster::World::empty(1));
        let made =
            "eksctl create cluster --name lab --without-nodegroup --zones ap-northeast-2a,ap-northeast-2b";
        assert_eq!(run(made, &mut machine, &mut world, &mut Output::default()), 0);
        let (began, mut out) = (world.now(), Output::default());
        for line in lines.lines() {
            run(line.trim(), &mut machine, &mut world, &mut out);
        }
        (out.stdout() + &out.stderr(), world.now().since(began).0 / 1000)
    }

    #[test]
    fn a_gateway_is_waited_for_by_its_own_rhythm() {
        let (said, took) = after_eksctl(
            "A=$(aws ec2 allocate-address --query AllocationId --output text)
            N=$(aws ec2 create-nat-gateway --subnet-id public-b --allocation-id $A --query NatGateway.NatGatewayId --output text)
            aws ec2 wait nat-gateway-available --nat-gateway-ids $N && echo there
            aws ec2 delete-nat-gateway --nat-gateway-id $N --query NatGatewayId | wc -l
            aws ec2 wait nat-gateway-available --nat-gateway-ids $N
            aws ec2 wait nat-gateway-deleted --nat-gateway-ids $N && aws ec2 release-address --allocation-id $A && echo gone",
        );
        let why = "Waiter encountered a terminal failure state: For expression \"NatGateways[].State\" we matched expected path: \"deleting\" at least once";
        assert_eq!(said, format!("there\n1\ngone\n\nWaiter NatGatewayAvailable failed: {why}\n"));
        assert_eq!(took, 90 + 45, "seen every 15 seconds");
    }

    #[test]
    fn whoever_waits_in_vain_gives_up_after_the_last_look() {
        let (said, took) = after_eksctl("aws ec2 wait instance-running");
        assert_eq!(said, "\nWaiter InstanceRunning failed: Max attempts exceeded\n");
        assert_eq!(took, 39 * 15);
    }
}
