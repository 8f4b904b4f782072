//! Which page does the address ask for?
//!
//! Everything stands behind `#`, so that any static server serves it under any path, and a session in a link never
//! leaves the browser. `?lang`, `?theme` and `?t` may stand before or behind the `#`.

use std::collections::BTreeMap;

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// The first ten seconds, or where one was.
    First,
    /// The map of lessons.
    Lessons,
    /// One lesson, by its slug.
    Lesson(String),
    /// One incident, by its slug.
    Incident(String),
    /// A machine with the tools and no cluster.
    Sandbox,
    /// A fixture, by its name.
    World(String),
    /// A session, as its link's payload.
    Shared(String),
    /// What is simulated, and what is left out.
    Coverage,
    /// An address that leads nowhere.
    Unknown(String),
}

/// An address, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The page.
    pub route: Route,
    /// `lang`, `theme`, `t` and whatever else is there.
    pub query: BTreeMap<String, String>,
}

impl Address {
    /// Reads the part from `?` (if any) and the part from `#` (if any).
    #[must_use]
    pub fn read(search: &str, hash: &str) -> Self {
        let (path, inner) =
            hash.trim_start_matches('#').split_once('?').unwrap_or((hash.trim_start_matches('#'), ""));
        let mut query = BTreeMap::new();
        for pair in search.trim_start_matches('?').split('&').chain(inner.split('&')) {
            if let Some((key, value)) = pair.split_once('=') {
                query.insert(key.to_owned(), value.to_owned());
            }
        }
        Self { route: Route::read(path), query }
    }
}

impl Route {
    fn read(path: &str) -> Self {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        match parts.as_slice() {
            ["lessons"] => Route::Lessons,
            ["lesson", slug, ..] => Route::Lesson((*slug).to_owned()),
            ["incident", slug, ..] => Route::Incident((*slug).to_owned()),
            ["sandbox"] => Route::Sandbox,
            ["coverage"] => Route::Coverage,
            ["world", fixture] => Route::World((*fixture).to_owned()),
            ["w", payload] => Route::Shared((*payload).to_owned()),
            [] => Route::First,
            _ => Route::Unknown(parts.join("/")),
        }
    }

    /// The hash that leads here.
    #[must_use]
    pub fn hash(&self) -> String {
        match self {
            Route::First => "#/".to_owned(),
            Route::Lessons => "#/lessons".to_owned(),
            Route::Lesson(slug) => format!("#/lesson/{slug}"),
            Route::Incident(slug) => format!("#/incident/{slug}"),
            Route::Sandbox => "#/sandbox".to_owned(),
            Route::Coverage => "#/coverage".to_owned(),
            Route::World(fixture) => format!("#/world/{fixture}"),
            Route::Shared(payload) => format!("#/w/{payload}"),
            Route::Unknown(path) => format!("#/{path}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_survives_the_way_through_its_hash() {
        for route in [
            Route::First,
            Route::Lessons,
            Route::Lesson("ip-slots".to_owned()),
            Route::Incident("no-free-ip".to_owned()),
            Route::Sandbox,
            Route::Coverage,
            Route::World("tri".to_owned()),
            Route::Shared("1.abc".to_owned()),
            Route::Unknown("l/garbage".to_owned()),
        ] {
            assert_eq!(Address::read("", &route.hash()).route, route);
        }
    }

    #[test]
    fn a_query_may_stand_before_or_behind_the_hash() {
        let address = Address::read("?lang=ko", "#/lesson/ip-slots/full?t=42");
        assert_eq!(address.route, Route::Lesson("ip-slots".to_owned()));
        assert_eq!(address.query["lang"], "ko");
        assert_eq!(address.query["t"], "42");
    }
}
