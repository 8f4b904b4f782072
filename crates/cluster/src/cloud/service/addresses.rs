//! Blocks of addresses: `ec2 associate-vpc-cidr-block`, `create-subnet-cidr-reservation` and its kind.

use super::{Operation, operation};
use crate::cloud::{reservation, subnet};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("ec2", "AssociateVpcCidrBlock", |turn, input| {
        subnet::extend_vpc(turn, &input.text("VpcId"), &input.text("CidrBlock"))
    }),
    operation("ec2", "CreateSubnetCidrReservation", |turn, input| {
        reservation::create(
            turn,
            &input.text("SubnetId"),
            &input.text("Cidr"),
            &input.text("ReservationType"),
            &input.text("Description"),
        )
    }),
    operation("ec2", "GetSubnetCidrReservations", |turn, input| {
        reservation::of(turn, &input.text("SubnetId"))
    }),
    operation("ec2", "DeleteSubnetCidrReservation", |turn, input| {
        reservation::delete(turn, &input.text("SubnetCidrReservationId"))
    }),
];
