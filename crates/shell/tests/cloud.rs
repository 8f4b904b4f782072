//! What EKS and EC2 change of a cluster that is there: its doors, its network, its groups' images.

mod two_zones;

use two_zones::said;

#[test]
fn the_doors_of_an_endpoint_change_in_their_time() {
    let said = said(
        "A='aws eks describe-cluster --name lab --output text --query cluster.[status,resourcesVpcConfig.endpointPublicAccess,resourcesVpcConfig.endpointPrivateAccess]'
        U=$(aws eks update-cluster-config --name lab --resources-vpc-config endpointPublicAccess=false,endpointPrivateAccess=true --query update.id --output text)
        $A
        aws eks describe-update --name lab --update-id $U --query 'update.[status,type,params[].type]' --output text
        aws eks update-cluster-config --name lab --resources-vpc-config endpointPublicAccess=true 2>&1 | grep -c 'currently has update'
        lab wait 3m
        $A
        aws eks describe-update --name lab --update-id $U --query update.status --output text
        aws eks list-updates --name lab --query 'length(updateIds)'
        aws eks update-cluster-config --name lab --resources-vpc-config endpointPublicAccess=false",
    );
    let wanted = "UPDATING\tTrue\tFalse\nInProgress\tEndpointAccessUpdate\nEndpointPublicAccess\tEndpointPrivateAccess\n1\n\
        ACTIVE\tFalse\tTrue\nSuccessful\n1\n\nAn error occurred (InvalidParameterException) when calling the UpdateClusterConfig operation: \
        Cluster is already at the desired configuration with endpointPrivateAccess: true , endpointPublicAccess: false, and Public Endpoint Restrictions: [0.0.0.0/0]\n";
    assert_eq!(said, wanted);
}

#[test]
fn logs_and_versions_are_updates_too() {
    let said = said(
        "aws eks update-cluster-config --name lab --logging '{\"clusterLogging\":[{\"types\":[\"api\",\"audit\"],\"enabled\":true}]}' --query update.type --output text
        lab wait 3m
        aws eks describe-cluster --name lab --query 'cluster.logging.clusterLogging[?enabled].types[]' --output text
        aws eks update-cluster-version --name lab --kubernetes-version 1.35 --query update.type --output text
        lab wait 11m
        aws eks describe-cluster --name lab --query cluster.version --output text
        kubectl version 2> skew | grep -c 'Server Version: v1.35'
        aws eks update-cluster-version --name lab --kubernetes-version 1.31",
    );
    let wanted = "LoggingUpdate\napi\taudit\nVersionUpdate\n1.35\n1\n\nAn error occurred (InvalidParameterException) when calling the \
        UpdateClusterVersion operation: Unsupported Kubernetes minor version update from 1.35 to 1.31\n";
    assert_eq!(said, wanted);
}

#[test]
fn a_gateway_is_made_attached_and_taken_away() {
    let said = said(
        "G=$(aws ec2 create-internet-gateway --query InternetGateway.InternetGatewayId --output text)
        aws ec2 describe-internet-gateways --internet-gateway-ids $G --query 'InternetGateways[0].Attachments' --output json
        aws ec2 attach-internet-gateway --internet-gateway-id $G --vpc-id main 2>&1 | cut -d' ' -f4
        aws ec2 delete-internet-gateway --internet-gateway-id $G
        aws ec2 describe-internet-gateways --query 'length(InternetGateways)'
        I=$(aws ec2 describe-internet-gateways --query InternetGateways[0].InternetGatewayId --output text)
        aws ec2 detach-internet-gateway --internet-gateway-id $I --vpc-id main 2>&1 | grep -c 'mapped public address'
        aws ec2 delete-nat-gateway --nat-gateway-id $(aws ec2 describe-nat-gateways --query NatGateways[0].NatGatewayId --output text) > gone
        lab wait 60s
        aws ec2 detach-internet-gateway --internet-gateway-id $I --vpc-id main
        aws ec2 describe-route-tables --route-table-ids public --query RouteTables[0].Routes[].State --output text
        aws ec2 attach-internet-gateway --internet-gateway-id $I --vpc-id main
        aws ec2 describe-route-tables --route-table-ids public --query RouteTables[0].Routes[].State --output text",
    );
    assert_eq!(said, "[]\n\n(InvalidParameterValue)\n1\n1\nactive\tblackhole\nactive\tactive\n");
}

#[test]
fn a_subnet_gives_public_addresses_or_not() {
    let said = said(
        "aws ec2 modify-subnet-attribute --subnet-id public-a --no-map-public-ip-on-launch
        aws ec2 describe-subnets --subnet-ids public-a --query Subnets[0].MapPublicIpOnLaunch
        aws ec2 delete-subnet --subnet-id public-a",
    );
    assert!(said.starts_with("false\n\nAn error occurred (DependencyViolation)"), "{said}");
}

#[test]
fn a_group_of_another_image_has_its_own_system_disk_and_template() {
    let said = said(
        "eksctl create nodegroup --cluster lab --name rock --node-type m5.large --nodes 1 --node-ami-family bottlerocket --max-pods-per-node 20 > log
        kubectl get nodes -o jsonpath='{.items[0].status.nodeInfo.osImage} {.items[0].status.capacity.ephemeral-storage} {.items[0].status.capacity.pods}'
        aws eks describe-nodegroup --cluster-name lab --nodegroup-name rock --query nodegroup.[amiType,launchTemplate.name,diskSize] --output text
        aws ec2 describe-launch-templates --query 'length(LaunchTemplates)'
        aws ec2 describe-launch-template-versions --launch-template-name eksctl-lab-nodegroup-rock --query 'LaunchTemplateVersions[0].LaunchTemplateData.BlockDeviceMappings[0].[DeviceName,Ebs.VolumeSize]' --output text
        eksctl create nodegroup --cluster lab --name old --node-ami-family AmazonLinux2",
    );
    let wanted = "Bottlerocket OS 1.49.0 (aws-k8s-1.34) 81854Mi 20BOTTLEROCKET_x86_64\teksctl-lab-nodegroup-rock\tNone\n2\n/dev/xvdb\t80\n\
        Error: AmazonLinux2 is not supported for Kubernetes version 1.34\n";
    assert_eq!(said, wanted);
}

#[test]
fn eksctl_says_why_a_group_cannot_stand_in_a_subnet() {
    let said = said(
        "eksctl create nodegroup --cluster lab --name a --subnet-ids subnet-1 | grep -c will
        eksctl create nodegroup --cluster lab --name a --subnet-ids private-a > log
        eksctl create nodegroup --cluster lab --name a --node-zones ap-northeast-2c > log
        eksctl scale nodegroup --cluster lab --name a --nodes-min 3 --nodes 2
        eksctl get nodegroup --cluster lab --name a
        eksctl get nodegroup --cluster lab",
    );
    let wanted = "2\nError: could not find public subnets: could not select subnets from subnet IDs: operation error EC2: DescribeSubnets, https response error StatusCode: 400, api error InvalidSubnetID.NotFound: The subnet ID 'subnet-1' does not exist\n\
        Error: could not find public subnets: could not select subnets from subnet IDs: subnet private-a is specified as private in ClusterConfig, thus must only be used when `privateNetworking` is enabled\n\
        Error: all public subnets from ap-northeast-2c, that the cluster was originally created on, have been deleted; to create public nodegroups within ap-northeast-2c please manually set valid public subnets via nodeGroup.SubnetIDs\n\
        Error: minimum number of nodes must be fewer than or equal to number of nodes\n\
        Error: operation error EKS: DescribeNodegroup, https response error StatusCode: 404, ResourceNotFoundException: No node group found for name: a.\n\
        Error: No nodegroups found\n";
    assert_eq!(said, wanted);
}

#[test]
fn a_group_is_drained_before_it_is_deleted() {
    let said = said(
        "eksctl create nodegroup --cluster lab --name a --nodes 1 --managed=false > log
        eksctl create nodegroup --cluster lab --name b --nodes 1 > log
        eksctl delete nodegroup --cluster lab --name a --wait | cut -c21-
        kubectl get nodes -o name | wc -l
        eksctl get cluster -o json | tr -d ' '
        eksctl get nodegroup --cluster lab -o yaml | grep Name",
    );
    let node = |text: &str| {
        text.contains("cordon node \"ip-192-168-") && text.contains("drained all nodes: [ip-192-168-")
    };
    assert!(node(&said), "{said}");
    assert!(said.contains("1 task: { 1 task: { delete nodegroup \"a\" } }"), "{said}");
    assert!(said.contains("waiting for stack \"eksctl-lab-nodegroup-a\" to get deleted"), "{said}");
    assert!(
        said.contains("[\n{\n\"Name\":\"lab\",\n\"Region\":\"ap-northeast-2\",\n\"Owned\":\"True\"\n}\n]"),
        "{said}"
    );
    assert!(said.contains("  StackName: eksctl-lab-nodegroup-b\n"), "{said}");
}

#[test]
fn eksctl_upgrades_a_control_plane_if_that_is_approved() {
    let said = said(
        "eksctl upgrade cluster --name lab | cut -c21-
        eksctl upgrade cluster --name lab --version 1.36
        eksctl upgrade cluster --name lab --approve | grep -c 'has been upgraded to version \"1.35\"'
        eksctl get cluster --name lab | cut -f1-3",
    );
    let plan = "[ℹ]  (plan) would upgrade cluster \"lab\" control plane from current version \"1.34\" to \"1.35\"\n\
        [ℹ]  checking security group configuration for all nodegroups\n[ℹ]  all nodegroups have up-to-date cloudformation templates\n\
        [!]  no changes were applied, run again with '--approve' to apply the changes\n";
    assert!(said.starts_with(plan), "{said}");
    assert!(said.contains("Error: control plane version \"1.36\" is not supported\n"), "{said}");
    assert!(said.contains("\n1\nNAME\tVERSION\tSTATUS\nlab\t1.35\tACTIVE\n"), "{said}");
}
