#![allow(clippy::unwrap_used, reason = "tests say what must hold")]

use api::{
    Kind, SimDuration,
    k8s::{
        batch::v1::{CronJob, Job},
        core::v1::Pod,
    },
};
use serde_json::{Value, json};

use crate::{
    ActorId, Budget, Turn, World,
    controllers::tests::messages,
    fixture::{HERE, cluster, create, delete, list, merge, settle},
};

fn cron(spec: &Value) -> World {
    let mut world = cluster();
    let mut whole = json!({"schedule": "*/5 * * * *", "jobTemplate": {"spec": {"template": {"spec": {
        "restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox:1.36"}]}}}}});
    whole.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    let object =
        json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "tick"}, "spec": whole});
    create(&mut world, object).unwrap();
    settle(&mut world);
    world
}

fn wait(world: &mut World, seconds: u64) {
    let until = world.now() + SimDuration::secs(seconds);
    world.run_until(until, Budget::COMMAND);
}

fn jobs(world: &mut World) -> Vec<String> {
    list(world, Kind::Job, "default", "", "").unwrap()
}

fn end_all(world: &mut World, phase: &str) {
    let all: Vec<String> =
        world.store().list::<Pod>(HERE, None).filter_map(|pod| pod.metadata.name.clone()).collect();
    for name in all {
        let mut turn = Turn::new(world, ActorId("kubelet"), HERE, None);
        let write = |pod: &mut Pod| pod.status.get_or_insert_default().phase = Some(phase.to_owned());
        turn.patch_status::<Pod>("default", &name, write).unwrap();
    }
    settle(world);
}

#[test]
fn a_job_comes_at_each_moment_and_is_named_by_its_minute() {
    let mut world = cron(&json!({}));
    assert!(jobs(&mut world).is_empty());
    wait(&mut world, 301);
    let names = jobs(&mut world);
    assert_eq!(names.len(), 1);
    let job = world.store().get::<Job>(HERE, "default", &names[0]).unwrap();
    let at = &job.metadata.annotations.as_ref().unwrap()["batch.kubernetes.io/cronjob-scheduled-timestamp"];
    let at: jiff::Timestamp = at.parse().unwrap();
    assert_eq!(names[0], format!("tick-{}", at.as_second() / 60));
    assert!(messages(&world, "SuccessfulCreate").contains(&format!("Created job {}", names[0])));
    let tick = world.store().get::<CronJob>(HERE, "default", "tick").unwrap().status.clone().unwrap();
    assert_eq!(tick.last_schedule_time.unwrap().0, at);
    assert_eq!(tick.active.unwrap()[0].name.as_ref(), Some(&names[0]));
    end_all(&mut world, "Succeeded");
    let tick = world.store().get::<CronJob>(HERE, "default", "tick").unwrap().status.clone().unwrap();
    assert!(tick.active.is_none() && tick.last_successful_time.is_some());
    let said = format!("Saw completed job: {}, condition: Complete", names[0]);
    assert_eq!(messages(&world, "SawCompletedJob"), [said]);
}

#[test]
fn history_is_kept_up_to_its_limits() {
    let mut world = cron(&json!({"successfulJobsHistoryLimit": 2}));
    for _ in 0..4 {
        wait(&mut world, 301);
        end_all(&mut world, "Succeeded");
    }
    assert_eq!(jobs(&mut world).len(), 2);
    assert_eq!(messages(&world, "SuccessfulDelete").len(), 2);
}

#[test]
fn a_job_that_still_runs_is_waited_for_or_replaced() {
    let mut world = cron(&json!({"concurrencyPolicy": "Forbid"}));
    wait(&mut world, 620);
    assert_eq!(jobs(&mut world).len(), 1);
    let said = "Not starting job because prior execution is running and concurrency policy is Forbid";
    assert_eq!(messages(&world, "JobAlreadyActive"), [said]);
    let mut world = cron(&json!({"concurrencyPolicy": "Replace"}));
    wait(&mut world, 301);
    let first = jobs(&mut world);
    wait(&mut world, 301);
    let second = jobs(&mut world);
    assert!(first.len() == 1 && second.len() == 1 && first != second);
}

#[test]
fn a_suspended_schedule_rests_and_makes_up_for_its_last_moment() {
    let mut world = cron(&json!({"suspend": true}));
    wait(&mut world, 700);
    assert!(jobs(&mut world).is_empty());
    merge(&mut world, Kind::CronJob, "tick", json!({"spec": {"suspend": false}})).unwrap();
    settle(&mut world);
    assert_eq!(jobs(&mut world).len(), 1);
}

#[test]
fn another_schedule_counts_from_now() {
    let mut world = cron(&json!({"schedule": "0 0 1 1 *"}));
    wait(&mut world, 600);
    merge(&mut world, Kind::CronJob, "tick", json!({"spec": {"schedule": "* * * * *"}})).unwrap();
    settle(&mut world);
    assert!(jobs(&mut world).is_empty());
    wait(&mut world, 61);
    assert_eq!(jobs(&mut world).len(), 1);
}

#[test]
fn what_is_too_late_does_not_start() {
    let mut world = cron(&json!({"suspend": true, "startingDeadlineSeconds": 30}));
    wait(&mut world, 400);
    merge(&mut world, Kind::CronJob, "tick", json!({"spec": {"suspend": false}})).unwrap();
    settle(&mut world);
    assert!(jobs(&mut world).is_empty());
}

#[test]
fn jobs_go_with_their_cron_job() {
    let mut world = cron(&json!({}));
    wait(&mut world, 301);
    delete(&mut world, Kind::CronJob, "tick").unwrap();
    settle(&mut world);
    assert!(jobs(&mut world).is_empty());
}
