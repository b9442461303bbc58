package io.weft.policy.model;

import java.util.List;

/**
 * {@code envoy.config.listener.v3.FilterChainMatch}: which connections a filter chain is for. Of several chains that of the most
 * specific match counts, criterion by criterion, in the order of these components. What is empty matches everything.
 *
 * @param destinationPort 0: any
 * @param serverNames in lower case, as in {@code www.example.com} or {@code *.example.com}
 * @param transportProtocol {@code raw_buffer}, {@code tls} or empty
 * @param applicationProtocols of those that the client offers one is among these
 */
public record FilterChainMatch(
        int destinationPort,
        List<CidrRange> destinations,
        List<String> serverNames,
        String transportProtocol,
        List<String> applicationProtocols,
        Source source) {
    public static final FilterChainMatch ANY =
            new FilterChainMatch(0, List.of(), List.of(), "", List.of(), Source.ANY);

    public FilterChainMatch {
        destinations = List.copyOf(destinations);
        serverNames = List.copyOf(serverNames);
        applicationProtocols = List.copyOf(applicationProtocols);
    }

    /** For connections to this port. */
    public static FilterChainMatch port(int destinationPort) {
        return new FilterChainMatch(destinationPort, List.of(), List.of(), "", List.of(), Source.ANY);
    }

    /** Where a connection comes from. The agent sees no proxy in between: the direct source is the source. */
    public record Source(List<CidrRange> direct, Type type, List<CidrRange> ranges, List<Integer> ports) {
        public static final Source ANY = new Source(List.of(), Type.ANY, List.of(), List.of());

        public Source {
            direct = List.copyOf(direct);
            ranges = List.copyOf(ranges);
            ports = List.copyOf(ports);
        }
    }

    public enum Type {
        ANY,
        /** From the same address or the loopback interface. */
        SAME_IP_OR_LOOPBACK,
        EXTERNAL
    }
}
