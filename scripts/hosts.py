"""Prints the hosts of AWS services that are not named after the service and its Region alone.

The arguments are the IDs of the services, as in AWS's models. The facts are those of the endpoint rules
in botocore. A line has the service's name in ordinary hosts, the partition, the Region or `*` for all
Regions of the partition, whether it is the host of FIPS and of IPv6, the host, and the Region for which
requests are signed. `{region}` and `-` stand for the caller's Region.

A test compares the output with `crates/aws/core/data/hosts.tsv`, and `UPDATE_EXPECT=1` writes it there.
"""

import collections
import re
import sys
from collections.abc import Iterator

import botocore.session
from botocore.endpoint_provider import EndpointProvider
from botocore.loaders import Loader

REGION = "{region}"
WAYS = [(fips, ipv6) for fips in [False, True] for ipv6 in [False, True]]


def partitions(loader: Loader) -> Iterator[tuple[str, dict, list[str]]]:
    """Yields each partition with its facts and the Regions in it, and one that AWS may add."""
    for it in loader.load_data("partitions")["partitions"]:
        regions = sorted(name for name in it["regions"] if not name.endswith("-global"))
        yield it["id"], it["outputs"], [*regions, re.sub(r"-\w+-\d+$", "-new-9", regions[0])]


def unusual(loader: Loader, service: str) -> Iterator[list[str]]:
    """Yields the lines of a service."""
    name = loader.load_service_model(service, "service-2")["metadata"]["endpointPrefix"]
    rules = EndpointProvider(
        loader.load_service_model(service, "endpoint-rule-set-1"), loader.load_data("partitions")
    )
    for partition, facts, regions in partitions(loader):
        for fips, ipv6 in WAYS:
            if ipv6 and not facts["supportsDualStack"] or fips and not facts["supportsFIPS"]:
                continue
            suffix = facts["dualStackDnsSuffix" if ipv6 else "dnsSuffix"]
            usual = f"{name}{'-fips' if fips else ''}.{REGION}.{suffix}", "-"
            for region, host in shared({it: resolve(rules, it, fips, ipv6) for it in regions}).items():
                if host != usual:
                    yield [name, partition, region, *("yes" if it else "no" for it in [fips, ipv6]), *host]


def resolve(rules: EndpointProvider, region: str, fips: bool, ipv6: bool) -> tuple[str, str]:
    """Returns a host, and the Region for which requests to it are signed."""
    it = rules.resolve_endpoint(Region=region, UseFIPS=fips, UseDualStack=ipv6)
    scheme = it.properties.get("authSchemes", [{}])[0]
    return it.url.removeprefix("https://"), scheme.get("signingRegion", region)


def shared(hosts: dict[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """Returns the host of each Region, or under `*` the one that all Regions of a partition have."""
    if len(set(hosts.values())) == 1:
        return {"*": next(iter(hosts.values()))}
    own = {
        region: (host.replace(region, REGION), "-" if signed_for == region else signed_for)
        for region, (host, signed_for) in hosts.items()
    }
    return {"*": next(iter(own.values()))} if len(set(own.values())) == 1 else own


def main() -> None:
    loader = botocore.session.get_session().get_component("data_loader")
    services = collections.defaultdict(list)
    for it in loader.list_available_services("service-2"):
        services[loader.load_service_model(it, "service-2")["metadata"]["serviceId"]].append(it)
    for wanted in sys.argv[1:]:
        for service in services.get(wanted) or sys.exit(f"botocore has no service with the ID {wanted}"):
            for line in unusual(loader, service):
                print("\t".join(line))


if __name__ == "__main__":
    main()
