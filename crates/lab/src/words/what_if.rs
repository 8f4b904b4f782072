//! What do what-ifs and fixes say? A few words for each edit, a sentence for what would follow.

use scheduler::{table::HOSTNAME, what_if::Edit};

use super::{Lang, en, fill, ko};
use crate::view::what_if::{Caution, Ghost, Outlook};

/// The texts around what-ifs in one language.
#[derive(Debug)]
pub struct Texts {
    /// Name of the row of what-ifs.
    pub what_if: &'static str,
    /// Before a node that would change nothing.
    pub still: &'static str,
    /// Before a node that would be another.
    pub then: &'static str,
    /// No node would do.
    pub still_nowhere: &'static str,
    /// No node would do any more.
    pub then_nowhere: &'static str,
    /// The only node left; nothing is scored.
    pub only_one: &'static str,
    /// So many nodes would pass.
    pub fit: &'static str,
    /// A node that is yet to come.
    pub fresh: &'static str,
    /// Nothing was changed.
    pub not_applied: &'static str,
    /// Takes all what-ifs back.
    pub clear: &'static str,
    /// Heads the list of fixes.
    pub fixes: &'static str,
    /// Shows the rest of the list: so many.
    pub show_more: &'static str,
    /// There may be more.
    pub cut_short: &'static str,
    /// Tries a fix without applying it.
    pub try_it: &'static str,
    /// Runs a fix's commands in a branch.
    pub apply: &'static str,
    /// Shows what one would type.
    pub commands: &'static str,
    /// A higher limit than there are addresses: node, addresses.
    pub no_address: &'static str,
}

impl Lang {
    /// The texts around what-ifs.
    #[must_use]
    pub fn what_if(self) -> &'static Texts {
        match self {
            Lang::Ko => &ko::what_if::TEXTS,
            Lang::En => &en::what_if::TEXTS,
        }
    }

    /// An edit in a few words, short enough for a button.
    #[must_use]
    pub fn edit(self, edit: &Edit) -> String {
        match self {
            Lang::Ko => ko::what_if::edit(edit),
            Lang::En => en::what_if::edit(edit),
        }
    }

    /// What a fix leads to beyond the scheduler's question.
    #[must_use]
    pub fn caution(self, caution: &Caution) -> String {
        match caution {
            Caution::NoAddress(node, addresses) => fill(&fill(self.what_if().no_address, node), addresses),
        }
    }

    /// What would follow: a few words, and the node that would be taken.
    #[must_use]
    pub fn ghost(self, ghost: &Ghost) -> (&'static str, Option<String>) {
        let texts = self.what_if();
        let node = ghost.then.node.as_ref().map(|node| self.node(node, ghost));
        let words = match (&ghost.then.node, &ghost.now.node) {
            (Some(then), Some(now)) if then == now => texts.still,
            (Some(_), _) => texts.then,
            (None, Some(_)) => texts.then_nowhere,
            (None, None) => texts.still_nowhere,
        };
        (words, node)
    }

    /// A node of an imagined decision.
    #[must_use]
    pub fn node(self, node: &str, ghost: &Ghost) -> String {
        if node == ghost.fresh { self.what_if().fresh.to_owned() } else { node.to_owned() }
    }

    /// Why there is no total, or no node.
    #[must_use]
    pub fn outlook(self, outlook: &Outlook) -> String {
        match (&outlook.message, outlook.total) {
            (Some(message), _) => message.clone(),
            (None, Some(_)) => fill(self.what_if().fit, outlook.fit),
            (None, None) => self.what_if().only_one.to_owned(),
        }
    }
}

/// A node label in short: the two that everybody knows without their domain.
pub(super) fn topology(key: &str) -> &str {
    match key {
        HOSTNAME => "hostname",
        "topology.kubernetes.io/zone" => "zone",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_edit_is_said_in_the_same_words_as_another() {
        let text = str::to_owned;
        let edits = [
            Edit::DropSpread { at: 0, topology_key: text(HOSTNAME) },
            Edit::DropPodAffinity { at: 0, topology_key: text(HOSTNAME) },
            Edit::DropPodAntiAffinity { at: 0, topology_key: text(HOSTNAME) },
            Edit::DropNodeAffinity,
            Edit::Uncordon { node: text("a") },
            Edit::AddNode { like: text("a") },
        ];
        for lang in [Lang::Ko, Lang::En] {
            let mut said: Vec<String> = edits.iter().map(|it| lang.edit(it)).collect();
            said.sort_unstable();
            said.dedup();
            assert_eq!(said.len(), edits.len());
        }
    }
}
