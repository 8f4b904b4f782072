//! `sts`: who asks?

use serde_json::json;

use super::{Operation, operation};
use crate::cloud::ACCOUNT;

/// Who uses the lab's account: an IAM user.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Of the account.
    pub account: &'static str,
    /// The user's own id.
    pub user_id: &'static str,
    /// The name that IAM knows it by.
    pub arn: String,
    /// Of the key that it signs with.
    pub access_key_id: &'static str,
}

/// Whoever types `aws`.
#[must_use]
pub fn caller() -> Caller {
    Caller {
        account: ACCOUNT,
        user_id: "AIDAEXAMPLEEXAMPLE",
        arn: format!("arn:aws:iam::{ACCOUNT}:user/alice"),
        access_key_id: "AKIAEXAMPLEEXAMPLE",
    }
}

pub(super) const OPERATIONS: &[Operation] = &[operation("sts", "GetCallerIdentity", |_, _| {
    let caller = caller();
    Ok(json!({"UserId": caller.user_id, "Account": caller.account, "Arn": caller.arn}))
})];
