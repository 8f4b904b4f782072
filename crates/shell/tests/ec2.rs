//! What EC2 says of a VPC that eksctl made, and what may be changed in it.

mod two_zones;

use two_zones::said;

fn text(operation: &str, query: &str) -> String {
    said(&format!("aws ec2 {operation} --query '{query}' --output text"))
}

#[test]
fn the_network_of_a_cluster_is_described() {
    assert_eq!(text("describe-vpcs", "Vpcs[].[VpcId,CidrBlock]"), "main\t192.168.0.0/16\n");
    assert_eq!(
        text(
            "describe-route-tables --filters Name=association.main,Values=false",
            "RouteTables[].RouteTableId"
        ),
        "private-a\tprivate-b\tpublic\n"
    );
    assert_eq!(
        text("describe-route-tables --filters Name=association.main,Values=true", "length(RouteTables)"),
        "1\n"
    );
    assert_eq!(
        text("describe-addresses", "Addresses[].PrivateIpAddress"),
        text("describe-nat-gateways", "NatGateways[].NatGatewayAddresses[0].PrivateIp")
    );
    let whose = "describe-internet-gateways --filters Name=attachment.vpc-id,Values=main";
    assert_eq!(text(whose, "length(InternetGateways)"), "1\n");
    let tags =
        "describe-tags --filters Name=resource-type,Values=subnet Name=key,Values=kubernetes.io/role/elb";
    assert_eq!(text(tags, "Tags[].ResourceId"), "public-a\tpublic-b\n");
}

#[test]
fn the_catalogue_knows_every_type_of_the_table() {
    assert_eq!(text("describe-instance-types", "length(InstanceTypes)"), "1392\n");
    let network = "InstanceTypes[0].NetworkInfo.[MaximumNetworkInterfaces,Ipv4AddressesPerInterface]";
    assert_eq!(text("describe-instance-types --instance-types m5.large", network), "3\t10\n");
    let offered = "describe-instance-type-offerings --location-type availability-zone --filters Name=instance-type,Values=m5.large";
    assert_eq!(
        text(offered, "InstanceTypeOfferings[].Location"),
        "ap-northeast-2a\tap-northeast-2b\tap-northeast-2c\n"
    );
}

#[test]
fn what_is_not_there_is_refused_by_its_code() {
    for (asked, refusal) in [
        (
            "vpcs --vpc-ids vpc-1",
            "(InvalidVpcID.NotFound) when calling the DescribeVpcs operation: The vpc ID 'vpc-1' does not exist",
        ),
        (
            "route-tables --route-table-ids rtb-1",
            "(InvalidRouteTableID.NotFound) when calling the DescribeRouteTables operation: The routeTable ID 'rtb-1' does not exist",
        ),
        (
            "nat-gateways --nat-gateway-ids nat-1",
            "(NatGatewayNotFound) when calling the DescribeNatGateways operation: NAT gateway nat-1 was not found",
        ),
        (
            "security-groups --group-ids sg-1",
            "(InvalidGroup.NotFound) when calling the DescribeSecurityGroups operation: The security group 'sg-1' does not exist",
        ),
        (
            "instance-types --instance-types m9.huge",
            "(InvalidInstanceType) when calling the DescribeInstanceTypes operation: The following supplied instance types do not exist: [m9.huge]",
        ),
        (
            "addresses --allocation-ids eipalloc-1",
            "(InvalidAllocationID.NotFound) when calling the DescribeAddresses operation: The allocation ID 'eipalloc-1' does not exist",
        ),
        (
            "vpcs --filters Name=colour,Values=red",
            "(InvalidParameterValue) when calling the DescribeVpcs operation: The filter 'colour' is invalid",
        ),
    ] {
        assert_eq!(said(&format!("aws ec2 describe-{asked}")), format!("\nAn error occurred {refusal}\n"));
    }
}

#[test]
fn the_rules_of_a_group_change_one_by_one() {
    let said = said(
        "G=$(aws ec2 create-security-group --group-name web --description web --vpc-id main --query GroupId --output text)
        aws ec2 authorize-security-group-ingress --group-id $G --protocol tcp --port 443 --cidr 10.1.2.3/8 --query 'SecurityGroupRules[].[CidrIpv4,FromPort]' --output text
        aws ec2 authorize-security-group-ingress --group-id $G --protocol tcp --port 443 --cidr 10.0.0.0/8
        aws ec2 authorize-security-group-ingress --group-id $G --protocol tcp --port 22-23 --source-group cluster-sg --query Return
        aws ec2 describe-security-groups --group-ids $G --query 'SecurityGroups[0].IpPermissions[].[FromPort,ToPort]' --output text
        aws ec2 revoke-security-group-ingress --group-id $G --protocol tcp --port 443 --cidr 10.0.0.0/8 --query Return
        aws ec2 revoke-security-group-ingress --group-id $G --protocol tcp --port 443 --cidr 10.0.0.0/8
        aws ec2 delete-security-group --group-id cluster-sg
        aws ec2 delete-security-group --group-id $G --query GroupId | wc -l",
    );
    let no = |code: &str, action: &str, why: &str| {
        format!("\nAn error occurred ({code}) when calling the {action} operation: {why}\n")
    };
    let (out, err) = said.split_at(said.find("\nAn error").expect("a refusal"));
    assert_eq!(out, "10.0.0.0/8\t443\ntrue\n22\t23\n443\t443\ntrue\n1\n");
    let duplicate =
        "the specified rule \"peer: 10.0.0.0/8, TCP, from port: 443, to port: 443, ALLOW\" already exists";
    assert_eq!(
        err,
        no("InvalidPermission.Duplicate", "AuthorizeSecurityGroupIngress", duplicate)
            + &no(
                "InvalidPermission.NotFound",
                "RevokeSecurityGroupIngress",
                "The specified rule does not exist in this security group."
            )
            + &no("DependencyViolation", "DeleteSecurityGroup", "resource cluster-sg has a dependent object")
    );
}

#[test]
fn a_route_to_a_gateway_that_went_is_a_black_hole() {
    let said = said(
        "aws ec2 delete-nat-gateway --nat-gateway-id $(aws ec2 describe-nat-gateways --query NatGateways[0].NatGatewayId --output text) --query NatGatewayId | wc -l
        lab wait 60s
        aws ec2 describe-route-tables --route-table-ids private-a --query RouteTables[0].Routes[].State --output text
        aws ec2 describe-network-interfaces --filters Name=interface-type,Values=nat_gateway --query 'length(NetworkInterfaces)'
        aws ec2 create-route --route-table-id private-a --destination-cidr-block 0.0.0.0/0 --gateway-id igw-1
        aws ec2 delete-route --route-table-id private-a --destination-cidr-block 0.0.0.0/0
        aws ec2 delete-route --route-table-id private-a --destination-cidr-block 0.0.0.0/0",
    );
    let (out, err) = said.split_at(said.find("\nAn error").expect("a refusal"));
    assert_eq!(out, "1\nactive\tblackhole\n0\n");
    assert!(
        err.contains("(InvalidGatewayID.NotFound)") && err.contains("The gateway ID 'igw-1' does not exist")
    );
    assert!(err.contains("no route with destination-cidr-block 0.0.0.0/0 in route table private-a"));
}
