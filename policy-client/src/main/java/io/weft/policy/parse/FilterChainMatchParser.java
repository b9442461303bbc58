package io.weft.policy.parse;

import io.weft.policy.model.CidrRange;
import io.weft.policy.model.FilterChainMatch;
import io.weft.policy.model.FilterChainMatch.Source;
import io.weft.policy.model.FilterChainMatch.Type;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** {@code envoy.config.listener.v3.FilterChainMatch} of an inbound listener. */
final class FilterChainMatchParser {
    private static final int MAX_PORT = 65_535;
    private static final long MAX_COMBINATIONS = 100_000;

    /** One connection's worth of a match: of each list one entry. */
    private record Single(
            int port, Object destination, Object name, String transport, Object protocol, Object direct, Type type, Object source, Object sourcePort) {}

    private final Set<Single> taken = new HashSet<>();

    /** One for each listener: two chains must not be for the same connections. */
    FilterChainMatchParser() {}

    FilterChainMatch parse(Field field, io.weft.policy.proto.envoy.config.listener.v3.FilterChainMatch match) {
        field.refuseIf(!match.getAddressSuffix().isEmpty(), "address_suffix", "is not supported, in Envoy neither; use prefix_ranges");
        field.refuseIf(match.hasSuffixLen(), "suffix_len", "is not supported, in Envoy neither; use prefix_ranges");
        field.refuseIf(match.hasDestinationPort() && match.getDestinationPort().getValue() == 0, "destination_port",
                "must be 1 to " + MAX_PORT + "; leave it out for every port");
        FilterChainMatch parsed = new FilterChainMatch(
                port(field.at("destination_port"), match.getDestinationPort().getValue()),
                ranges(field, "prefix_ranges", match.getPrefixRangesList()),
                serverNames(field, match.getServerNamesList()),
                match.getTransportProtocol(),
                match.getApplicationProtocolsList(),
                source(field, match));
        if (combinations(parsed) > MAX_COMBINATIONS) {
            throw field.refuse("has more than " + MAX_COMBINATIONS + " combinations of its entries");
        }
        for (Single single : singles(parsed)) {
            if (!taken.add(single)) {
                throw field.refuse("overlaps with that of another filter chain; which of both is meant is not clear");
            }
        }
        return parsed;
    }

    private static Source source(Field field, io.weft.policy.proto.envoy.config.listener.v3.FilterChainMatch match) {
        List<Integer> ports = match.getSourcePortsList();
        for (int i = 0; i < ports.size(); i++) {
            port(field.at("source_ports", i), ports.get(i));
        }
        return new Source(
                ranges(field, "direct_source_prefix_ranges", match.getDirectSourcePrefixRangesList()),
                type(field.at("source_type"), match.getSourceType()),
                ranges(field, "source_prefix_ranges", match.getSourcePrefixRangesList()),
                ports);
    }

    private static int port(Field field, int port) {
        if (port < 0 || port > MAX_PORT) {
            throw field.refuse("must be 0 to " + MAX_PORT + ", is " + Integer.toUnsignedString(port));
        }
        return port;
    }

    private static Type type(
            Field field, io.weft.policy.proto.envoy.config.listener.v3.FilterChainMatch.ConnectionSourceType type) {
        return switch (type) {
            case ANY -> Type.ANY;
            case SAME_IP_OR_LOOPBACK -> Type.SAME_IP_OR_LOOPBACK;
            case EXTERNAL -> Type.EXTERNAL;
            case UNRECOGNIZED -> throw field.refuse("is unknown");
        };
    }

    private static List<CidrRange> ranges(
            Field field, String name, List<io.weft.policy.proto.envoy.config.core.v3.CidrRange> ranges) {
        return ranges.isEmpty() ? List.of() : CidrRangeParser.list(field, name, ranges);
    }

    private static List<String> serverNames(Field field, List<String> names) {
        List<String> parsed = new ArrayList<>(names.size());
        for (int i = 0; i < names.size(); i++) {
            String name = names.get(i).toLowerCase(Locale.ROOT);
            if (name.isEmpty() || name.lastIndexOf('*') > 0 || name.startsWith("*") && !name.startsWith("*.")) {
                throw field.at("server_names", i).refuse("'" + names.get(i) + "' must be a name, or one that begins with '*.'");
            }
            parsed.add(name);
        }
        return parsed;
    }

    private static long combinations(FilterChainMatch match) {
        double product = 1;
        for (List<?> entries : List.of(match.destinations(), match.serverNames(), match.applicationProtocols(),
                match.source().direct(), match.source().ranges(), match.source().ports())) {
            product *= Math.max(1, entries.size());
        }
        return (long) product;
    }

    private static List<Single> singles(FilterChainMatch match) {
        List<Single> singles = new ArrayList<>();
        for (Object destination : orAny(match.destinations())) {
            for (Object name : orAny(match.serverNames())) {
                for (Object protocol : orAny(match.applicationProtocols())) {
                    for (Object direct : orAny(match.source().direct())) {
                        for (Object range : orAny(match.source().ranges())) {
                            for (Object port : orAny(match.source().ports())) {
                                singles.add(new Single(match.destinationPort(), destination, name, match.transportProtocol(), protocol,
                                        direct, match.source().type(), range, port));
                            }
                        }
                    }
                }
            }
        }
        return singles;
    }

    private static List<?> orAny(List<?> entries) {
        return entries.isEmpty() ? List.of("") : entries;
    }
}
