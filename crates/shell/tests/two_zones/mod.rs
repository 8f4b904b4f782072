//! A cluster of two zones, and what lines typed there say.

use cluster::World;
use shell::{Machine, Output, run};

/// What the lines say, one after the other.
pub fn said(lines: &str) -> String {
    let (mut machine, mut world) = (Machine::default(), World::empty(1));
    let made = "eksctl create cluster --name lab --without-nodegroup --zones ap-northeast-2a,ap-northeast-2b";
    assert_eq!(run(made, &mut machine, &mut world, &mut Output::default()), 0);
    let mut out = Output::default();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        run(line, &mut machine, &mut world, &mut out);
    }
    out.stdout() + &out.stderr()
}
