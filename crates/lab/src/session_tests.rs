use super::*;

fn session() -> Session {
    Session::new(Scenario::bare(), 7).unwrap_or_else(|_| panic!("a bare machine has no files to be wrong"))
}

#[test]
fn a_line_taken_back_is_as_if_it_had_not_been_typed() {
    let mut session = session();
    session.run_line("echo a > f");
    let before = session.digest();
    session.run_line("sleep 5; echo b >> f");
    assert!(session.undo());
    assert_eq!((session.digest(), session.head()), (before, SimTime::ZERO));
    assert_eq!(session.run_line("cat f").output.stdout(), "a\n");
}

#[test]
fn a_line_done_again_gives_what_it_gave() {
    let mut session = session();
    session.run_line("sleep 5");
    let after = session.digest();
    session.undo();
    assert!(session.redo().is_some());
    assert_eq!(session.digest(), after);
    assert!(session.redo().is_none());
}

#[test]
fn lab_undo_is_not_part_of_the_script() {
    let mut session = session();
    session.run_line("A=1");
    session.run_line("lab undo");
    assert!(session.lines().is_empty());
    assert_eq!(session.run_line("echo $A").output.stdout(), "\n");
}

#[test]
fn acting_in_the_past_leaves_the_old_future_as_a_branch() {
    let mut session = session();
    session.run_line("sleep 5");
    session.run_line("sleep 10");
    session.branch_at(SimTime(5_000));
    session.run_line("echo other");
    let (name, left) = session.branches();
    assert_eq!((name, left.len(), left[0].name.as_str(), left[0].lines.len()), ("B", 1, "A", 2));
    // At 5 s the second line had begun: it stays whole, and the branch begins when it came back.
    assert_eq!(
        session.lines().iter().map(|line| line.text.as_str()).collect::<Vec<_>>(),
        ["sleep 5", "sleep 10", "echo other"]
    );
}

#[test]
fn a_branch_can_be_gone_back_to() {
    let mut session = session();
    session.run_line("sleep 5");
    session.advance(SimDuration::secs(60));
    let (digest, head) = (session.digest(), session.head());
    session.branch_at(SimTime(20_000));
    assert_eq!(session.head(), SimTime(20_000));
    assert!(session.switch(0));
    assert_eq!((session.digest(), session.head()), (digest, head));
}

#[test]
fn the_past_can_be_seen_without_moving_the_head() {
    let mut session = session();
    session.run_line("sleep 60");
    assert_eq!(session.seek(SimTime(42_000)).now(), SimTime(42_000));
    assert_eq!(session.seek(SimTime(41_000)).now(), SimTime(41_000));
    assert_eq!(session.head(), SimTime(60_000));
}

#[test]
fn old_lines_can_be_taken_back_after_checkpoints_were_thinned() {
    let mut session = session();
    for i in 0..300 {
        session.run_line(&format!("echo {i} >> f; sleep 1"));
    }
    for _ in 0..299 {
        session.undo();
    }
    assert_eq!(session.run_line("cat f").output.stdout(), "0\n");
}

#[test]
fn a_hundred_million_replicas_stop_the_line_and_nothing_else() {
    let Some(tiny) = crate::library::scenario("tiny") else { panic!("the fixture is part of this crate") };
    let mut session = Session::new(tiny, 7).unwrap_or_else(|_| panic!("the fixture is right"));
    session.run_line("kubectl create deployment web --image=nginx:1.27");
    let before = session.digest();
    let result = session.run_line("kubectl scale deploy/web --replicas=100000000; lab wait idle; echo never");
    assert_eq!((result.exit, result.stopped), (130, true));
    assert_eq!(result.output.stdout(), "deployment.apps/web scaled\n");
    assert!(result.output.stderr().contains("nothing is lost"), "{}", result.output.stderr());
    assert_eq!(session.run_line("kubectl get deploy web -o jsonpath={.spec.replicas}").exit, 0);
    assert!(session.undo() && session.undo());
    assert_eq!(session.digest(), before);
}

#[test]
fn before_a_decision_its_pod_has_no_node_yet() {
    let scenario = crate::library::scenario("duo").expect("a fixture");
    let mut session = Session::new(scenario, 1).expect("a session");
    session.run_line("kubectl create deployment web --image=nginx --replicas=3");
    session.run_line("lab wait idle");
    let decided = |it: &Rc<cluster::Fact>| match &it.what {
        What::Decided(decision) if decision.pod.starts_with("default/web") => {
            Some((it.seq, Rc::clone(decision)))
        }
        _ => None,
    };
    let decisions: Vec<_> = session.facts().iter().filter_map(decided).collect();
    for (seq, decision) in decisions {
        let world = session.just_before(seq).expect("a world");
        let again =
            crate::view::what_if::ghost(&world, cluster::ClusterId(1), &decision.pod, &[]).expect("a pod");
        assert_eq!(again.now.node, decision.node);
        assert_eq!(
            again.now.total,
            decision.nodes.iter().find(|it| Some(&it.node) == decision.node.as_ref()).map(|it| it.total)
        );
    }
}
