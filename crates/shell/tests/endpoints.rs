//! VPC endpoints and network ACLs: made by eksctl and by hand, with their addresses, and on the way of a packet.

use cluster::World;
use shell::{Machine, Output, run};

const PRIVATE: &str = "cat > c.yaml <<'EOF'
apiVersion: eksctl.io/v1alpha5
kind: ClusterConfig
metadata: {name: lab, region: ap-northeast-2}
availabilityZones: [ap-northeast-2a, ap-northeast-2b]
privateCluster: {enabled: true, additionalEndpointServices: [logs]}
managedNodeGroups: [{name: ng, instanceType: m5.large, desiredCapacity: 2, privateNetworking: true}]
EOF
eksctl create cluster -f c.yaml";

const PUBLIC: &str = "eksctl create cluster --name lab --nodes 1 --zones ap-northeast-2a,ap-northeast-2b";

/// What the lines say on a machine where `made` was typed.
fn said(made: &str, lines: &str) -> String {
    let (mut machine, mut world) = (Machine::default(), World::empty(1));
    let mut out = Output::default();
    assert_eq!(run(made, &mut machine, &mut world, &mut out), 0, "{}{}", out.stdout(), out.stderr());
    let mut out = Output::default();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        run(line, &mut machine, &mut world, &mut out);
    }
    out.stdout() + &out.stderr()
}

#[test]
fn a_fully_private_cluster_has_endpoints_and_no_way_out() {
    let said = said(
        PRIVATE,
        "aws ec2 describe-vpc-endpoints --query 'sort_by(VpcEndpoints,&ServiceName)[].[ServiceName,VpcEndpointType,State,length(NetworkInterfaceIds),PrivateDnsEnabled]' --output text
        aws ec2 describe-internet-gateways --query 'length(InternetGateways)'
        aws ec2 describe-nat-gateways --query 'length(NatGateways)'
        aws ec2 describe-subnets --query 'Subnets[].SubnetId' --output text
        aws ec2 describe-network-interfaces --filters Name=interface-type,Values=vpc_endpoint --query 'length(NetworkInterfaces)'
        aws ec2 describe-route-tables --route-table-ids private-a --query 'RouteTables[0].Routes[].[State,DestinationPrefixListId!=null]' --output text
        aws eks describe-cluster --name lab --query 'cluster.resourcesVpcConfig.[endpointPublicAccess,endpointPrivateAccess]' --output text
        kubectl get nodes --no-headers | grep -c ' Ready '",
    );
    let service = |name: &str, rest: &str| format!("com.amazonaws.ap-northeast-2.{name}\t{rest}\n");
    let interface = "Interface\tavailable\t2\tTrue";
    let wanted = ["ec2", "ecr.api", "ecr.dkr", "logs"].map(|name| service(name, interface)).concat()
        + &service("s3", "Gateway\tavailable\t0\tFalse")
        + &service("sts", interface)
        + "0\n0\nprivate-a\tprivate-b\n10\nactive\tFalse\nactive\tTrue\nFalse\tTrue\n2\n";
    assert_eq!(said, wanted);
}

#[test]
fn eksctl_refuses_what_does_not_go_with_a_fully_private_cluster() {
    for (change, words) in [
        (
            "s/privateNetworking: true/privateNetworking: false/",
            "managedNodeGroups[0].privateNetworking must be enabled for a fully-private cluster",
        ),
        (
            "s/logs/sqs/",
            "invalid value in privateCluster.additionalEndpointServices: unsupported endpoint service \"sqs\"",
        ),
        (
            "s/enabled: true,/enabled: true, skipEndpointCreation: true,/",
            "privateCluster.additionalEndpointServices cannot be set when privateCluster.skipEndpointCreation is true",
        ),
    ] {
        let (mut machine, mut world) = (Machine::default(), World::empty(1));
        let mut out = Output::default();
        let (file, create) = PRIVATE.rsplit_once('\n').expect("two commands");
        let line = format!("{file}\nsed -i '{change}' c.yaml\n{create}");
        assert_eq!(run(&line, &mut machine, &mut world, &mut out), 1, "{}", out.stdout());
        assert_eq!(out.stderr(), format!("Error: {words}\n"));
    }
}

#[test]
fn the_way_to_a_service_goes_through_its_endpoint_once_there_is_one() {
    let out = said(
        PUBLIC,
        "N=$(kubectl get nodes -o jsonpath='{.items[0].metadata.name}')
        lab trace Node/$N aws/sts | grep -q igw && echo out
        E=$(aws ec2 create-vpc-endpoint --vpc-id main --vpc-endpoint-type Interface --service-name com.amazonaws.ap-northeast-2.sts --subnet-ids public-a public-b --query VpcEndpoint.VpcEndpointId --output text)
        aws ec2 describe-vpc-endpoints --vpc-endpoint-ids $E --query 'VpcEndpoints[0].[State,Groups[0].GroupName]' --output text
        lab wait 60s
        aws ec2 describe-vpc-endpoints --vpc-endpoint-ids $E --query 'VpcEndpoints[0].State' --output text
        lab trace Node/$N aws/sts | grep -c 'sg:in'
        aws ec2 modify-vpc-endpoint --vpc-endpoint-id $E --add-security-group-ids cluster-sg --query Return
        lab trace Node/$N aws/sts | grep -c 'sg:in\\|igw'
        aws ec2 delete-vpc-endpoints --vpc-endpoint-ids $E vpce-1 --query 'Unsuccessful[].Error.Message' --output text
        aws ec2 describe-network-interfaces --filters Name=interface-type,Values=vpc_endpoint --query 'length(NetworkInterfaces)'",
    );
    assert_eq!(
        out,
        "out\npending\tdefault\navailable\n1\ntrue\n0\nThe Vpc Endpoint Id 'vpce-1' does not exist\n0\n"
    );
}

#[test]
fn an_acl_without_rules_stops_every_packet_and_the_default_one_none() {
    let out = said(
        PUBLIC,
        "N=$(kubectl get nodes -o jsonpath='{.items[0].metadata.name}')
        S=$(aws ec2 describe-instances --query 'Reservations[0].Instances[0].SubnetId' --output text)
        aws ec2 describe-network-acls --query 'NetworkAcls[].[IsDefault,length(Associations)]' --output text
        aws ec2 describe-network-acls --query 'NetworkAcls[0].Entries[].[RuleNumber,Egress,RuleAction]' --output text
        lab trace Node/$N aws/sts | grep -c nacl
        A=$(aws ec2 create-network-acl --vpc-id main --query NetworkAcl.NetworkAclId --output text)
        O=$(aws ec2 describe-network-acls --filters Name=association.subnet-id,Values=$S --query \"NetworkAcls[0].Associations[?SubnetId=='$S'].NetworkAclAssociationId\" --output text)
        aws ec2 replace-network-acl-association --association-id $O --network-acl-id $A --query NewAssociationId | wc -l
        lab trace Node/$N aws/sts | grep -c nacl:out
        aws ec2 create-network-acl-entry --network-acl-id $A --egress --rule-number 100 --protocol tcp --port-range From=443,To=443 --cidr-block 0.0.0.0/0 --rule-action allow
        lab trace Node/$N aws/sts | grep -c nacl:return-in
        aws ec2 create-network-acl-entry --network-acl-id $A --ingress --rule-number 100 --protocol tcp --port-range From=1024,To=65535 --cidr-block 0.0.0.0/0 --rule-action allow
        lab trace Node/$N aws/sts | grep -c nacl:
        aws ec2 create-network-acl-entry --network-acl-id $A --ingress --rule-number 100 --protocol all --cidr-block 0.0.0.0/0 --rule-action deny
        aws ec2 delete-network-acl --network-acl-id $A",
    );
    let rows = "100\tTrue\tallow\n32767\tTrue\tdeny\n100\tFalse\tallow\n32767\tFalse\tdeny\n";
    let (out, err) = out.split_at(out.find("\nAn error").expect("a refusal"));
    assert_eq!(out, format!("True\t4\n{rows}0\n1\n1\n1\n0\n"));
    assert!(
        err.contains("(NetworkAclEntryAlreadyExists)") && err.contains("identified by 100 already exists.")
    );
    assert!(err.contains("(DependencyViolation)"), "{err}");
}
