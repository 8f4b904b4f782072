//! `lab calc max-pods`: the sum behind a node's limit of pods, as the calculator of the EKS-optimised image makes it.
//!
//! UPSTREAM: the calculator counts bare metal among the types that hold no prefixes, though ipamd gives them some.

use cni::{
    limits::{self, Hypervisor, InstanceType},
    max_pods::{ADDRESSES_PER_PREFIX, Flags, HOST_NETWORK_PODS, calculator, recommended},
};

use crate::{
    eval::Flow,
    flag::{Flag, FlagError, Given, int, switch, value},
    tool::{Call, nearest},
};

pub(super) const USAGE: &str = "lab calc max-pods --type TYPE [--prefix] [--custom-networking] [--max-eni N]";

const FLAGS: &[Flag] =
    &[value("type", '\0'), switch("prefix", '\0'), switch("custom-networking", '\0'), int("max-eni")];

/// `lab calc max-pods --type TYPE …`.
pub(super) fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let given = match Given::parse(&call.args, &[FLAGS]) {
        Ok(given) => given,
        Err(FlagError::Help) => return Ok(super::usage(call, "calc")),
        Err(error) => {
            call.out.err(&format!("lab: {error}"));
            return Ok(super::usage(call, "calc"));
        }
    };
    let (["max-pods"], Some(name)) =
        (given.args.iter().map(String::as_str).collect::<Vec<_>>().as_slice(), given.value("type"))
    else {
        return Ok(super::usage(call, "calc"));
    };
    let Some(of) = limits::of(name) else {
        let near = nearest(name, limits::every().iter().map(|it| it.name));
        let near = near.first().map(|it| format!("; did you mean {it:?}?")).unwrap_or_default();
        call.out.err(&format!("lab: unknown instance type {name:?}{near}"));
        return Ok(1);
    };
    let flags = Flags {
        prefix_delegation: given.on("prefix"),
        custom_networking: given.on("custom-networking"),
        max_eni: given.int("max-eni").and_then(|max| u32::try_from(max).ok()).filter(|max| *max > 0),
        show_max_allowed: false,
    };
    for line in sum(of, flags) {
        call.out.line(&line);
    }
    Ok(0)
}

/// The sum, and what lowers its result.
fn sum(of: &InstanceType, flags: Flags) -> Vec<String> {
    let all = Flags { show_max_allowed: true, ..flags };
    let allowed = calculator(of.enis, of.ipv4_per_eni, of.vcpu.unwrap_or(1), of.hypervisor, all);
    let enis = flags.max_eni.map_or(of.enis, |max| max.min(of.enis));
    let enis = if flags.custom_networking { format!("({enis} - 1)") } else { enis.to_string() };
    let prefixes = flags.prefix_delegation && of.hypervisor == Hypervisor::Nitro;
    let per_slot = if prefixes { format!(" x {ADDRESSES_PER_PREFIX}") } else { String::new() };
    let mut lines =
        vec![format!("{enis} x ({} - 1){per_slot} + {HOST_NETWORK_PODS} = {allowed}", of.ipv4_per_eni)];
    let recommended = recommended(of, flags);
    if recommended < allowed {
        let few = if recommended == 110 { "up to 30 vCPUs" } else { "more than 30 vCPUs" };
        lines.push(format!("recommended: {recommended}, the most for {few}"));
    }
    if flags.prefix_delegation && !prefixes {
        lines.push(format!("{} cannot hold prefixes: one address in each slot", of.name));
    }
    lines
}

#[cfg(test)]
mod tests {
    use crate::text::tests::{sh, stdout};

    fn calc(rest: &str) -> String {
        stdout(&format!("lab calc max-pods --type {rest}"))
    }

    /// Source: the EKS user guide, choosing an instance type; cni-spec §6.
    #[test]
    fn the_sum_stands_as_in_the_user_guide() {
        assert_eq!(calc("m5.large"), "3 x (10 - 1) + 2 = 29\n");
        assert_eq!(calc("m5.large --custom-networking"), "(3 - 1) x (10 - 1) + 2 = 20\n");
        assert_eq!(
            calc("m5.large --prefix"),
            "3 x (10 - 1) x 16 + 2 = 434\nrecommended: 110, the most for up to 30 vCPUs\n"
        );
        assert_eq!(
            calc("m5.24xlarge"),
            "15 x (50 - 1) + 2 = 737\nrecommended: 250, the most for more than 30 vCPUs\n"
        );
    }

    #[test]
    fn what_cannot_be_is_said() {
        assert_eq!(
            calc("t2.medium --prefix"),
            "3 x (6 - 1) + 2 = 17\nt2.medium cannot hold prefixes: one address in each slot\n"
        );
        let (_, err, status) = sh("lab calc max-pods --type m5.larg");
        assert_eq!(
            (err.as_str(), status),
            ("lab: unknown instance type \"m5.larg\"; did you mean \"m5.large\"?\n", 1)
        );
    }
}
