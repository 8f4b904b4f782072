//! Which addresses of a subnet are taken?
//!
//! A subnet of thousands of ENIs is asked for addresses whenever a node grows. So its addresses are marked when an ENI gets them.
//! INVARIANT: equals [`Held::of`] the subnet and its ENIs.

use std::{net::Ipv4Addr, rc::Rc};

use api::kinds::aws::{Eni, Subnet};
use cni::subnet::SubnetAddresses;
use imbl::{GenericOrdMap, shared_ptr::RcK};

use crate::cloud::eni;

/// What is taken of one subnet.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Held {
    /// Its addresses, those of ENIs taken.
    pub addresses: SubnetAddresses,
    /// How many addresses its ENIs have.
    pub taken: u32,
}

impl Held {
    /// What these ENIs take of a subnet.
    pub(crate) fn of<'e>(subnet: &Subnet, enis: impl Iterator<Item = &'e Eni>) -> Self {
        let mut held = Self { addresses: SubnetAddresses::new(subnet.cidr), taken: 0 };
        for reservation in &subnet.reservations {
            held.addresses.reserve(reservation.cidr, reservation.kind);
        }
        enis.for_each(|eni| held.take(eni));
        held
    }

    fn take(&mut self, eni: &Eni) {
        self.addresses.take(eni.primary_ip);
        for ip in &eni.secondary_ips {
            self.addresses.take(*ip);
        }
        // One by one: of an imported subnet nobody says that no two ENIs have the same.
        for prefix in &eni.prefixes {
            let all = u32::from(prefix.network())..=u32::from(prefix.broadcast());
            all.for_each(|address| {
                self.addresses.take(Ipv4Addr::from(address));
            });
        }
        self.taken += eni::addresses(eni);
    }
}

/// The same of every subnet, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Holdings(GenericOrdMap<Rc<str>, Rc<Held>, RcK>);

impl Holdings {
    /// What is taken of a subnet; `None` of one that is not there.
    pub(crate) fn get(&self, subnet: &str) -> Option<&Rc<Held>> {
        self.0.get(subnet)
    }

    /// A subnet has been counted, or is gone.
    pub(crate) fn set(&mut self, subnet: &str, held: Option<Held>) {
        match held {
            Some(held) => drop(self.0.insert(subnet.into(), Rc::new(held))),
            None => drop(self.0.remove(subnet)),
        }
    }

    /// An ENI has what it had before, and maybe more; whether that could be taken over. If not, its subnet is to be counted.
    pub(crate) fn grow(&mut self, before: Option<&Eni>, after: &Eni) -> bool {
        let keeps = |before: &Eni| {
            before.subnet == after.subnet
                && before.primary_ip == after.primary_ip
                && before.secondary_ips.iter().all(|ip| after.secondary_ips.contains(ip))
                && before.prefixes.iter().all(|prefix| after.prefixes.contains(prefix))
        };
        if !before.is_none_or(keeps) {
            return false;
        }
        let Some(held) = self.0.get_mut(&*after.subnet) else { return true };
        let held = Rc::make_mut(held);
        held.taken -= before.map_or(0, eni::addresses);
        held.take(after);
        true
    }
}
