//! Korean.

pub mod address;
pub mod advice;
mod fargate;
pub mod nodes;
pub mod outlook;
mod parts;
pub mod path;
pub mod reason;
pub mod request;
pub mod scheduler;
pub mod sentences;
pub mod ui;
pub mod what_if;
