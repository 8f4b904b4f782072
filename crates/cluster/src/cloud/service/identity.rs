//! `sts`: who asks?

use serde_json::json;

use super::{Operation, operation};
use crate::cloud::ACCOUNT;

pub(super) const OPERATIONS: &[Operation] = &[operation("sts", "GetCallerIdentity", |_, _| {
    Ok(json!({
        "UserId": "AIDAEXAMPLEEXAMPLE",
        "Account": ACCOUNT,
        "Arn": format!("arn:aws:iam::{ACCOUNT}:user/alice"),
    }))
})];
