package io.weft.dataplane.filter;

import io.weft.dataplane.HttpStream;
import io.weft.dataplane.IpAddress;
import io.weft.dataplane.match.DecodedQuery;
import io.weft.dataplane.route.HeaderTest;
import io.weft.dataplane.route.TextTest;
import io.weft.policy.model.QueryMatch;
import io.weft.policy.model.RateLimit;
import io.weft.policy.model.RateLimit.Action;
import io.weft.policy.model.RateLimit.DestinationCluster;
import io.weft.policy.model.RateLimit.Entry;
import io.weft.policy.model.RateLimit.GenericKey;
import io.weft.policy.model.RateLimit.HeaderValueMatch;
import io.weft.policy.model.RateLimit.MaskedRemoteAddress;
import io.weft.policy.model.RateLimit.QueryParameter;
import io.weft.policy.model.RateLimit.QueryParameterValueMatch;
import io.weft.policy.model.RateLimit.RemoteAddress;
import io.weft.policy.model.RateLimit.RequestHeader;
import io.weft.policy.model.RateLimit.Untold;
import java.util.ArrayList;
import java.util.List;

/** {@link RateLimit}s made ready: which descriptors a request has. Immutable. */
final class RequestDescriptors {
    static final RequestDescriptors NONE = new RequestDescriptors(List.of());

    private final Part[][] descriptors;
    private final int[] hits;

    RequestDescriptors(List<RateLimit> limits) {
        descriptors = limits.stream()
                .map(limit -> limit.actions().stream().map(RequestDescriptors::part).toArray(Part[]::new))
                .toArray(Part[][]::new);
        hits = limits.stream().mapToInt(RateLimit::hits).toArray();
    }

    /** @param hits tokens that the request takes of its bucket */
    record Descriptor(List<Entry> entries, int hits) {}

    List<Descriptor> of(HttpStream stream) {
        List<Descriptor> all = new ArrayList<>(descriptors.length);
        for (int i = 0; i < descriptors.length; i++) {
            List<Entry> entries = new ArrayList<>(descriptors[i].length);
            if (add(descriptors[i], stream, entries)) {
                all.add(new Descriptor(entries, hits[i]));
            }
        }
        return all;
    }

    private static boolean add(Part[] parts, HttpStream stream, List<Entry> entries) {
        for (Part part : parts) {
            if (!part.add(stream, entries)) {
                return false;
            }
        }
        return true;
    }

    @FunctionalInterface
    private interface Part {
        /** @return false: there is no such descriptor */
        boolean add(HttpStream stream, List<Entry> entries);
    }

    private static Part part(Action action) {
        if (action instanceof GenericKey generic) {
            return (stream, entries) -> entries.add(generic.entry());
        }
        if (action instanceof RequestHeader header) {
            return (stream, entries) -> value(stream.head().firstValue(header.header()), header.key(), header.skipIfAbsent(), entries);
        }
        if (action instanceof QueryParameter parameter) {
            return (stream, entries) -> value(
                    DecodedQuery.first(stream.head().path(), parameter.name()), parameter.key(), parameter.skipIfAbsent(), entries);
        }
        if (action instanceof HeaderValueMatch match) {
            HeaderTest[] tests = HeaderTest.of(match.headers());
            return (stream, entries) -> HeaderTest.all(tests, stream.head()) == match.expected() && entries.add(match.entry());
        }
        if (action instanceof QueryParameterValueMatch match) {
            List<ParameterTest> tests = match.parameters().stream().map(ParameterTest::of).toList();
            return (stream, entries) -> ParameterTest.all(tests, stream.head().path()) == match.expected() && entries.add(match.entry());
        }
        if (action instanceof RemoteAddress) {
            return (stream, entries) -> entries.add(new Entry("remote_address", stream.clientIp().toString()));
        }
        if (action instanceof MaskedRemoteAddress masked) {
            return (stream, entries) -> {
                IpAddress address = stream.clientIp();
                int length = address.isIpv6() ? masked.ipv6Length() : masked.ipv4Length();
                return entries.add(new Entry("masked_remote_address", address.network(length) + "/" + length));
            };
        }
        if (action instanceof DestinationCluster) {
            return (stream, entries) -> {
                String cluster = stream.upstreamCluster();
                return cluster != null && entries.add(new Entry("destination_cluster", cluster));
            };
        }
        if (action instanceof Untold) {
            return (stream, entries) -> false;
        }
        throw new AssertionError(action);
    }

    private static boolean value(String value, String key, boolean skipIfAbsent, List<Entry> entries) {
        return value == null ? skipIfAbsent : entries.add(new Entry(key, value));
    }

    /** @param value null: the parameter only has to be there */
    private record ParameterTest(String name, TextTest value) {
        static ParameterTest of(QueryMatch match) {
            return new ParameterTest(match.name(), match.match().map(TextTest::of).orElse(null));
        }

        static boolean all(List<ParameterTest> tests, String target) {
            for (ParameterTest test : tests) {
                String found = DecodedQuery.first(target, test.name);
                if (found == null || test.value != null && !test.value.matches(found)) {
                    return false;
                }
            }
            return true;
        }
    }
}
