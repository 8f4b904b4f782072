//! `lab matrix`: who reaches whom?
//!
//! Only reads. Of a namespace, or of the whole VPC.

use cluster::path::{self, Matrix, Scope};
use network::Verdict;
use serde_json::{Value, json};

use super::{trace, usage};
use crate::{
    eval::Flow,
    flag::{Flag, FlagError, Given, switch, value},
    tool::Call,
};

pub(super) const USAGE: &str = "lab matrix [-n NAMESPACE | --vpc] [--port N] [--proto tcp|udp] [--json]";

const FLAGS: &[Flag] = &[
    value("namespace", 'n'),
    switch("vpc", '\0'),
    value("port", '\0'),
    value("proto", '\0'),
    switch("json", '\0'),
];

/// `lab matrix`.
pub(super) fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let given = match Given::parse(&call.args, &[FLAGS]) {
        Ok(given) if given.args.is_empty() => given,
        Ok(_) | Err(FlagError::Help) => return Ok(usage(call, "matrix")),
        Err(error) => {
            call.out.err(&format!("lab: {error}"));
            return Ok(usage(call, "matrix"));
        }
    };
    let port = match given.value("port").map(str::parse::<u16>) {
        None => None,
        Some(Ok(port)) => Some(port),
        Some(Err(_)) => {
            call.out.err("lab: a port is a number from 0 to 65535");
            return Ok(2);
        }
    };
    let proto = given.value("proto").unwrap_or("tcp").to_uppercase();
    if !["TCP", "UDP"].contains(&proto.as_str()) {
        call.out.err(&format!("lab: {proto:?} is no protocol that is traced: tcp or udp"));
        return Ok(2);
    }
    let config = &call.shell.machine.kubeconfig;
    let current = config.context(&config.current).map(|it| it.namespace.clone()).filter(|it| !it.is_empty());
    let scope = match given.value("namespace").map(str::to_owned).or(current) {
        _ if given.on("vpc") => Scope::Vpc,
        namespace => Scope::Namespace(namespace.unwrap_or_else(|| "default".to_owned())),
    };
    let cluster = trace::current(call);
    let network = cluster::network::of(call.shell.world, cluster);
    let matrix = path::matrix(&network, &scope, port, &proto);
    if given.on("json") {
        call.out.line(&format!("{:#}", as_json(&matrix)));
        return Ok(0);
    }
    if matrix.ends.is_empty() {
        call.out.err("lab: nobody here has an address");
        return Ok(1);
    }
    for line in lines(&matrix) {
        call.out.line(&line);
    }
    Ok(0)
}

fn as_json(matrix: &Matrix) -> Value {
    let rows = matrix.ends.iter().zip(&matrix.cells);
    let rows = rows.flat_map(|(from, row)| {
        row.iter().zip(&matrix.ends).filter_map(move |(cell, to)| {
            let cell = cell.as_ref()?;
            Some(json!({"from": from, "to": to, "verdict": cell.verdict, "blocker": cell.blocker}))
        })
    });
    rows.collect()
}

/// A row for each end, a column for each number, and what the signs mean.
fn lines(matrix: &Matrix) -> Vec<String> {
    let name = matrix.ends.iter().map(|it| it.chars().count()).max().unwrap_or(0);
    let number = matrix.ends.len().to_string().len();
    let columns: Vec<String> = (1..=matrix.ends.len()).map(|n| format!("{n:>number$}")).collect();
    let head = format!("{:>number$} {:<name$}  {}", "", "", columns.join(" "));
    let row = |(index, (end, cells)): (usize, (&String, &Vec<Option<path::Cell>>))| {
        let sign = |cell: &Option<path::Cell>| match cell.as_ref().map(|it| it.verdict) {
            None => "·",
            Some(Verdict::Reached) => "✓",
            Some(Verdict::Refused) => "R",
            Some(Verdict::TimedOut) => "✕",
        };
        let signs: Vec<String> = cells.iter().map(|cell| format!("{:>number$}", sign(cell))).collect();
        format!("{:>number$} {end:<name$}  {}", index + 1, signs.join(" "))
    };
    let rows = matrix.ends.iter().zip(&matrix.cells).enumerate().map(row);
    let legend = "✓ reached  R refused  ✕ timed out; rows ask columns".to_owned();
    [head].into_iter().chain(rows).chain([legend]).collect()
}
