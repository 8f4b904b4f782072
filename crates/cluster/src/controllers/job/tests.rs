#![allow(clippy::unwrap_used, reason = "tests say what must hold")]

use api::{
    Kind, SimDuration,
    k8s::{
        batch::v1::{Job, JobStatus},
        core::v1::{ContainerState, ContainerStateTerminated, ContainerStatus, Pod},
    },
};
use serde_json::{Value, json};

use crate::{
    ActorId, Turn, World,
    controllers::tests::messages,
    fixture::{HERE, cluster, create, delete, list, merge, settle},
};

fn job(spec: &Value) -> Value {
    let mut whole = json!({"template": {"spec": {"restartPolicy": "Never",
        "containers": [{"name": "c", "image": "busybox:1.36"}]}}});
    whole.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "work"}, "spec": whole})
}

fn run(spec: &Value) -> World {
    let mut world = cluster();
    create(&mut world, job(spec)).unwrap();
    settle(&mut world);
    world
}

fn wait(world: &mut World, seconds: u64) {
    let until = world.now() + SimDuration::secs(seconds);
    world.run_until(until, crate::Budget::COMMAND);
}

fn pods(world: &World) -> Vec<Pod> {
    world.store().list::<Pod>(HERE, Some("default")).cloned().collect()
}

fn running(world: &World) -> Vec<String> {
    let all = pods(world).into_iter().filter(crate::controllers::is_active);
    all.filter_map(|pod| pod.metadata.name).collect()
}

/// A pod's container ends with this code, as a kubelet would say.
fn end(world: &mut World, name: &str, code: i32) {
    let mut turn = Turn::new(world, ActorId("kubelet"), HERE, None);
    let stamp = turn.stamp();
    let written = turn.patch_status::<Pod>("default", name, |pod| {
        let status = pod.status.get_or_insert_default();
        status.phase = Some(if code == 0 { "Succeeded" } else { "Failed" }.to_owned());
        let ended =
            ContainerStateTerminated { exit_code: code, finished_at: Some(stamp), ..Default::default() };
        status.container_statuses = Some(vec![ContainerStatus {
            name: "c".to_owned(),
            state: Some(ContainerState { terminated: Some(ended), ..ContainerState::default() }),
            ..ContainerStatus::default()
        }]);
    });
    written.unwrap();
    settle(world);
}

fn end_all(world: &mut World, code: i32) {
    for name in running(world) {
        end(world, &name, code);
    }
}

fn status(world: &World) -> JobStatus {
    world.store().get::<Job>(HERE, "default", "work").unwrap().status.clone().unwrap()
}

fn conditions(world: &World) -> Vec<String> {
    let all = status(world).conditions.unwrap_or_default();
    all.into_iter().map(|it| format!("{} {}", it.type_, it.reason.unwrap_or_default())).collect()
}

#[test]
fn a_job_runs_pods_until_enough_have_succeeded() {
    let mut world = run(&json!({"completions": 3, "parallelism": 2}));
    assert_eq!((running(&world).len(), status(&world).active), (2, Some(2)));
    end_all(&mut world, 0);
    assert_eq!((running(&world).len(), status(&world).succeeded), (1, Some(2)), "one is left to do");
    end_all(&mut world, 0);
    assert_eq!(conditions(&world), ["SuccessCriteriaMet CompletionsReached", "Complete CompletionsReached"]);
    assert_eq!(messages(&world, "Completed"), ["Job completed"]);
    let done = status(&world);
    assert_eq!(
        (done.active, done.succeeded, done.ready, done.terminating),
        (None, Some(3), Some(0), Some(0))
    );
    assert_eq!(done.uncounted_terminated_pods.unwrap(), Default::default());
    assert!(pods(&world).iter().all(|pod| pod.metadata.finalizers.is_none()), "all are counted");
}

#[test]
fn a_failed_pod_is_replaced_after_a_wait_that_doubles() {
    let mut world = run(&json!({"backoffLimit": 2}));
    end_all(&mut world, 1);
    assert_eq!(running(&world).len(), 0);
    wait(&mut world, 7);
    assert_eq!(running(&world).len(), 0);
    wait(&mut world, 4);
    assert_eq!(running(&world).len(), 1);
    end_all(&mut world, 1);
    wait(&mut world, 15);
    assert_eq!(running(&world).len(), 0);
    wait(&mut world, 6);
    end_all(&mut world, 1);
    assert_eq!(conditions(&world), ["FailureTarget BackoffLimitExceeded", "Failed BackoffLimitExceeded"]);
    assert_eq!(messages(&world, "BackoffLimitExceeded"), ["Job has reached the specified backoff limit"]);
    assert_eq!(status(&world).failed, Some(3));
}

#[test]
fn the_pods_of_an_indexed_job_know_their_number() {
    let mut world = run(&json!({"completions": 3, "parallelism": 3, "completionMode": "Indexed"}));
    let all = pods(&world);
    for (index, pod) in all.iter().enumerate() {
        let meta = &pod.metadata;
        let text = index.to_string();
        let key = "batch.kubernetes.io/job-completion-index";
        assert!(meta.name.as_ref().unwrap().starts_with(&format!("work-{index}-")));
        assert_eq!(meta.labels.as_ref().unwrap()[key], text);
        assert_eq!(meta.annotations.as_ref().unwrap()[key], text);
        let spec = pod.spec.as_ref().unwrap();
        assert_eq!(spec.hostname.as_deref(), Some(format!("work-{index}").as_str()));
        let variable = &spec.containers[0].env.as_ref().unwrap()[0];
        assert_eq!(variable.name, "JOB_COMPLETION_INDEX");
        let field = variable.value_from.as_ref().unwrap().field_ref.as_ref().unwrap();
        assert_eq!(field.field_path, format!("metadata.labels['{key}']"));
    }
    end(&mut world, all[2].metadata.name.as_ref().unwrap(), 0);
    assert_eq!(status(&world).completed_indexes.as_deref(), Some("2"));
    end_all(&mut world, 0);
    assert_eq!(status(&world).completed_indexes.as_deref(), Some("0-2"));
}

#[test]
fn an_index_that_fails_too_often_spoils_its_job_at_the_end() {
    let spec =
        json!({"completions": 2, "parallelism": 2, "completionMode": "Indexed", "backoffLimitPerIndex": 1});
    let mut world = run(&spec);
    let names = running(&world);
    end(&mut world, &names[1], 0);
    end(&mut world, &names[0], 1);
    wait(&mut world, 11);
    let again = running(&world);
    assert_eq!(again.len(), 1);
    let pod = world.store().get::<Pod>(HERE, "default", &again[0]).unwrap();
    let notes = pod.metadata.annotations.as_ref().unwrap();
    assert_eq!(notes["batch.kubernetes.io/job-index-failure-count"], "1");
    end_all(&mut world, 1);
    assert_eq!(conditions(&world), ["FailureTarget FailedIndexes", "Failed FailedIndexes"]);
    let done = status(&world);
    assert_eq!((done.completed_indexes.as_deref(), done.failed_indexes.as_deref()), (Some("1"), Some("0")));
}

#[test]
fn leaders_that_are_done_end_the_job() {
    let spec = json!({"completions": 3, "parallelism": 3, "completionMode": "Indexed",
        "successPolicy": {"rules": [{"succeededIndexes": "0"}]}});
    let mut world = run(&spec);
    let leader = running(&world).remove(0);
    end(&mut world, &leader, 0);
    settle(&mut world);
    assert_eq!(conditions(&world), ["SuccessCriteriaMet SuccessPolicy", "Complete SuccessPolicy"]);
    assert_eq!(running(&world).len(), 0);
    assert_eq!(messages(&world, "SuccessfulDelete").len(), 2);
}

#[test]
fn a_suspended_job_has_no_pods_and_starts_anew() {
    let mut world = run(&json!({}));
    merge(&mut world, Kind::Job, "work", json!({"spec": {"suspend": true}})).unwrap();
    settle(&mut world);
    assert_eq!((running(&world).len(), conditions(&world)), (0, vec!["Suspended JobSuspended".to_owned()]));
    wait(&mut world, 100);
    merge(&mut world, Kind::Job, "work", json!({"spec": {"suspend": false}})).unwrap();
    settle(&mut world);
    assert_eq!((running(&world).len(), conditions(&world)), (1, vec!["Suspended JobResumed".to_owned()]));
    let start = status(&world).start_time.unwrap();
    assert!(start.0.as_second() >= world.stamp(world.now()).0.as_second() - 5);
    assert_eq!(messages(&world, "Resumed"), ["Job resumed"]);
}

#[test]
fn a_deadline_ends_what_still_runs() {
    let mut world = run(&json!({"activeDeadlineSeconds": 30}));
    wait(&mut world, 31);
    settle(&mut world);
    assert_eq!(conditions(&world), ["FailureTarget DeadlineExceeded", "Failed DeadlineExceeded"]);
    assert!(pods(&world).is_empty(), "a pod without a node goes at once");
}

#[test]
fn an_old_job_goes_and_its_pods_with_it() {
    let mut world = run(&json!({"ttlSecondsAfterFinished": 60}));
    end_all(&mut world, 0);
    wait(&mut world, 58);
    assert_eq!(list(&mut world, Kind::Job, "default", "", "").unwrap(), ["work"]);
    wait(&mut world, 5);
    settle(&mut world);
    assert!(list(&mut world, Kind::Job, "default", "", "").unwrap().is_empty() && pods(&world).is_empty());
}

#[test]
fn a_deleted_job_lets_its_pods_go() {
    let mut world = run(&json!({"parallelism": 2, "completions": 2}));
    delete(&mut world, Kind::Job, "work").unwrap();
    settle(&mut world);
    assert!(pods(&world).is_empty());
}
