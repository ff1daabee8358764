"""Makes what restore tests would have restored, good and broken, and tells the ARNs by name."""

import json
import sys

from engine import client, told


def arn(service, what):
    return f"arn:aws:{service}:{told['region']}:{told['account']}:{what}"


ec2, rds, dynamodb = client("ec2"), client("rds"), client("dynamodb")
s3, efs = client("s3"), client("efs")
prefix = "awsbackup-restore-test-"
made = {}

image = ec2.describe_images()["Images"][0]["ImageId"]
for name in ["instance", "stopped-instance"]:
    instances = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"]
    made[name] = arn("ec2", f"instance/{instances[0]['InstanceId']}")
ec2.stop_instances(InstanceIds=[instances[0]["InstanceId"]])

zone = f"{told['region']}a"
source = ec2.create_volume(AvailabilityZone=zone, Size=8)["VolumeId"]
snapshot = ec2.create_snapshot(VolumeId=source)["SnapshotId"]
made["snapshot"] = f"arn:aws:ec2:{told['region']}::snapshot/{snapshot}"
for name, size in [("volume", 8), ("larger-volume", 9)]:
    volume = ec2.create_volume(AvailabilityZone=zone, SnapshotId=snapshot, Size=size)
    made[name] = arn("ec2", f"volume/{volume['VolumeId']}")
made["missing-volume"] = arn("ec2", "volume/vol-0123456789abcdef0")

database = rds.create_db_instance(
    DBInstanceIdentifier=f"{prefix}database",
    Engine="postgres",
    DBInstanceClass="db.t3.micro",
    AllocatedStorage=20,
    MasterUsername="owner",
    MasterUserPassword="not-a-secret",
)
made["database"] = database["DBInstance"]["DBInstanceArn"]
made["missing-database"] = arn("rds", f"db:{prefix}missing")
for name in ["cluster", "bare-cluster"]:
    cluster = rds.create_db_cluster(
        DBClusterIdentifier=prefix + name,
        Engine="aurora-postgresql",
        MasterUsername="owner",
        MasterUserPassword="not-a-secret",
    )
    made[name] = cluster["DBCluster"]["DBClusterArn"]
rds.create_db_instance(
    DBInstanceIdentifier=f"{prefix}cluster-1",
    DBClusterIdentifier=f"{prefix}cluster",
    Engine="aurora-postgresql",
    DBInstanceClass="db.t3.medium",
)

for name in ["table", "empty-table"]:
    table = dynamodb.create_table(
        TableName=prefix + name,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    made[name] = table["TableDescription"]["TableArn"]
dynamodb.put_item(TableName=f"{prefix}table", Item={"id": {"S": "7"}})
made["missing-table"] = arn("dynamodb", f"table/{prefix}missing")

for name in ["bucket", "empty-bucket"]:
    s3.create_bucket(Bucket=prefix + name)
    made[name] = f"arn:aws:s3:::{prefix}{name}"
s3.put_object(Bucket=f"{prefix}bucket", Key="a folder/ü+&.txt", Body=b"words" * 1000)
s3.put_object(Bucket=f"{prefix}bucket", Key="a folder/", Body=b"")

file_system = efs.create_file_system(CreationToken="restored")
made["file-system"] = arn("elasticfilesystem", f"file-system/{file_system['FileSystemId']}")
made["missing-file-system"] = arn("elasticfilesystem", "file-system/fs-01234567")

json.dump(made, sys.stdout)
