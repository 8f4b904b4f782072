//! Which functions of a filter are ours?
//!
//! Those that need the world (time, environment, inputs), and those that count: every call of a definition and every number of
//! a range costs one of [`MOST_CALLS`]. A filter that has used them up, or the stack, halts.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
};

use jaq_core::{
    Bind, DataT, Error, Exn, Lut, Native, ValT as _, ValX,
    data::HasLut,
    native::{Filter, Fun, bome, run, v},
};
use jaq_json::Val;

use super::{read::Read, write};

/// Most calls of definitions in one run of jq.
pub(super) const MOST_CALLS: u32 = 250_000;
/// Most stack that a filter may use.
const MOST_STACK: usize = 256 << 10;
/// Exit status of a filter that was stopped.
const STOPPED: i32 = 130;

/// What kind of data filters see.
pub(super) struct Jq;

/// A filter on its way.
pub(super) struct Running<'a> {
    pub lut: &'a Lut<Jq>,
    /// What is still to be read.
    pub inputs: RefCell<VecDeque<Read>>,
    pub calls: Cell<u32>,
    /// Whether the lab ended it.
    pub stopped: Cell<bool>,
    /// Where the stack was when the filter began.
    pub base: usize,
    /// Seconds since 1970.
    pub now: i64,
    /// Where the last input was read.
    pub position: RefCell<String>,
    /// What `debug` and `stderr` wrote.
    pub said: RefCell<String>,
}

impl DataT for Jq {
    type V<'a> = Val;
    type Data<'a> = &'a Running<'a>;
}

impl<'a> HasLut<'a, Jq> for &'a Running<'a> {
    fn lut(&self) -> &'a Lut<Jq> {
        self.lut
    }
}

impl Running<'_> {
    fn count<'a>(&self) -> Result<(), Exn<'a, Val>> {
        let here = 0_u8;
        self.calls.set(self.calls.get().saturating_add(1));
        if self.calls.get() > MOST_CALLS || (&raw const here).addr().abs_diff(self.base) > MOST_STACK {
            self.stopped.set(true);
            return Err(Exn::halt(STOPPED));
        }
        Ok(())
    }

    fn input<'a>(&self) -> Option<ValX<'a, Val>> {
        let Read { value, at } = self.inputs.borrow_mut().pop_front()?;
        self.position.replace(at);
        Some(value.map_err(|error| Exn::from(Error::str(error.0))))
    }
}

/// jaq's functions that ours replace.
const REPLACED: &[&str] = &["range", "tojson"];
/// jaq's functions that `defs.jq` wraps, and what it calls them.
const WRAPPED: &[(&str, &str)] = &[
    ("length", "native_length"),
    ("startswith", "native_startswith"),
    ("endswith", "native_endswith"),
    ("ltrimstr", "native_ltrimstr"),
    ("rtrimstr", "native_rtrimstr"),
    ("has", "native_has"),
    ("sort", "native_sort"),
    ("sort_by", "native_sort_by"),
    ("group_by", "native_group_by"),
    ("contains", "native_contains"),
];

/// Every function a filter may call.
pub(super) fn all() -> impl Iterator<Item = Fun<Jq>> {
    let theirs = || jaq_core::funs::<Jq>().chain(jaq_std::base_funs()).chain(jaq_json::funs());
    // jaq's own definitions go on calling them by their names.
    let again = theirs().filter_map(|(name, args, native)| {
        let (_, renamed) = WRAPPED.iter().find(|(known, _)| *known == name)?;
        Some((*renamed, args, native))
    });
    theirs()
        .filter(|(name, _, _)| !REPLACED.contains(name))
        .chain(again)
        .chain(super::library::all().into_iter().chain(ours()).map(|filter| run::<Jq>(filter)))
}

type Run = jaq_core::RunPtr<Jq>;

fn ours() -> Vec<Filter<Run>> {
    let f = || -> Box<[Bind]> { Box::new([]) };
    vec![
        ("count_call", f(), |cv| {
            let counted = cv.0.data().count();
            Box::new(std::iter::once(counted.map(|()| Val::Null)))
        }),
        ("range", v(3), |mut cv| {
            let (by, to, from) = (cv.0.pop_var(), cv.0.pop_var(), cv.0.pop_var());
            let running = *cv.0.data();
            let up = by > Val::from(0_usize);
            let mut next = Some(from);
            Box::new(std::iter::from_fn(move || {
                let now = next.take()?;
                if if up { now >= to } else { now <= to } {
                    return None;
                }
                if let Err(stop) = running.count() {
                    return Some(Err(stop));
                }
                match now.clone() + by.clone() {
                    Ok(then) => {
                        next = Some(then);
                        Some(Ok(now))
                    }
                    Err(error) => Some(Err(error.into())),
                }
            }))
        }),
        ("divided", v(2), |mut cv| {
            let (right, left) = (cv.0.pop_var(), cv.0.pop_var());
            if matches!((&left, &right), (Val::Num(_), Val::Num(_))) && right == Val::from(0_usize) {
                let words = [&left, &right].map(|n| format!("number ({})", write::compact(n)));
                let words = format!("{} cannot be divided because the divisor is zero", words.join(" and "));
                return bome(Err(Error::str(words)));
            }
            bome((left / right).map(|value| match value {
                Val::Num(number) => Val::from_num(&write::compact(&Val::Num(number))).unwrap_or_default(),
                other => other,
            }))
        }),
        ("tostring", f(), |cv| {
            bome(Ok(match cv.1 {
                text @ Val::TStr(_) => text,
                other => Val::from(write::compact(&other)),
            }))
        }),
        ("tojson", f(), |cv| bome(Ok(Val::from(write::compact(&cv.1))))),
        ("now", f(), |cv| {
            let now = cv.0.data().now;
            bome(Ok(Val::from(now as f64)))
        }),
        ("input", f(), |cv| {
            let next = cv.0.data().input();
            let none = || Err(Exn::from(Error::str("No more inputs")));
            Box::new(std::iter::once(next.unwrap_or_else(none)))
        }),
        ("inputs", f(), |cv| {
            let running = *cv.0.data();
            Box::new(std::iter::from_fn(move || running.input()))
        }),
        ("debug_empty", f(), |cv| {
            let line = format!("[\"DEBUG:\",{}]\n", write::compact(&cv.1));
            cv.0.data().said.borrow_mut().push_str(&line);
            Box::new(std::iter::empty())
        }),
        ("stderr_empty", f(), |cv| {
            let text = write::compact(&cv.1);
            cv.0.data().said.borrow_mut().push_str(&text);
            Box::new(std::iter::empty())
        }),
    ]
}

/// The type of a compiled function.
pub(super) type Compiled = Native<Jq>;
