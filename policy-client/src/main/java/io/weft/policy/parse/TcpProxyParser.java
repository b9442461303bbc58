package io.weft.policy.parse;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import io.weft.policy.model.FilterOverrides;
import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.HttpConnectionManager;
import io.weft.policy.model.HttpConnectionManager.Edge;
import io.weft.policy.model.HttpConnectionManager.Inline;
import io.weft.policy.model.HttpConnectionManager.StreamLimits;
import io.weft.policy.model.Resending;
import io.weft.policy.model.RetryPolicy;
import io.weft.policy.model.Route;
import io.weft.policy.model.RouteAction.ClusterChoice;
import io.weft.policy.model.RouteAction.Forward;
import io.weft.policy.model.RouteAction.Named;
import io.weft.policy.model.RouteAction.Rewrite;
import io.weft.policy.model.RouteAction.Timeouts;
import io.weft.policy.model.RouteAction.WeightedCluster;
import io.weft.policy.model.RouteConfiguration;
import io.weft.policy.model.RouteMatch;
import io.weft.policy.model.RoutingPriority;
import io.weft.policy.model.VirtualHost;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * {@code envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy}, of which where it leads and how often it tries counts. By hand: the rest
 * is about connections, which are the library's.
 */
final class TcpProxyParser {
    static final String TYPE = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy";

    private static final int STAT_PREFIX = 1;
    private static final int CLUSTER = 2;
    private static final int MAX_CONNECT_ATTEMPTS = 7;
    private static final int WEIGHTED_CLUSTERS = 10;
    /** Without them it would lead elsewhere. */
    private static final Map<Integer, String> LEADING_ELSEWHERE = Map.of(9, "metadata_match", 12, "tunneling_config");
    private static final Map<Integer, String> WITHOUT_EFFECT =
            Map.of(5, "access_log", 8, "idle_timeout", 11, "hash_policy", 13, "max_downstream_connection_duration");
    /** Envoy tries again at once. */
    private static final RetryPolicy.BackOff AT_ONCE = new RetryPolicy.BackOff(Duration.ofMillis(1), Duration.ofMillis(1));

    private final List<WeightedCluster> clusters = new ArrayList<>();
    private final Set<String> elsewhere = new HashSet<>();
    private final Set<String> withoutEffect = new HashSet<>();
    private String statPrefix = "";
    private int attempts = 1;

    private TcpProxyParser() {}

    /** Names of clusters. */
    static Set<String> clusters(Field field, ByteString tcpProxy) {
        Set<String> names = new HashSet<>();
        for (WeightedCluster cluster : read(field, tcpProxy).clusters) {
            names.add(((Named) cluster.cluster()).cluster());
        }
        return names;
    }

    /** What it is for requests, of whatever host: a way for all of them; empty when that leads nowhere that is known here. */
    static Optional<HttpConnectionManager> requests(Field field, ByteString tcpProxy) {
        TcpProxyParser parser = read(field, tcpProxy);
        if (parser.clusters.isEmpty() || !parser.elsewhere.isEmpty()) {
            parser.elsewhere.forEach(name -> field.at(name).report());
            return Optional.empty();
        }
        boolean weighed = parser.clusters.stream().allMatch(cluster -> cluster.weight() > 0);
        field.refuseIf(!weighed, "weighted_clusters", "needs weights of 1 to " + Integer.MAX_VALUE);
        field.refuseIf(parser.attempts < 1, "max_connect_attempts", "must be 1 to " + Integer.MAX_VALUE);
        parser.withoutEffect.stream().sorted().forEach(name -> field.at(name).report());
        return Optional.of(parser.requests());
    }

    private HttpConnectionManager requests() {
        Resending resending = attempts == 1
                ? Resending.NONE
                : Resending.of(new RetryPolicy(
                        RetryPolicy.Conditions.on(RetryPolicy.On.CONNECT_FAILURE),
                        attempts - 1,
                        RetryPolicy.PerTry.NO_LIMIT,
                        AT_ONCE,
                        Optional.empty(),
                        RetryPolicy.HostSelection.ANY));
        Route route = new Route(
                "",
                new RouteMatch(new RouteMatch.Prefix("/"), true, List.of(), List.of(), Optional.empty(), false),
                new Forward(
                        ClusterChoice.of(clusters.toArray(WeightedCluster[]::new)), Rewrite.NONE, resending, Timeouts.NONE, List.of(),
                        Map.of(), RoutingPriority.DEFAULT),
                HeaderChanges.NONE,
                FilterOverrides.NONE);
        VirtualHost host = new VirtualHost("tcp", List.of("*"), List.of(route), false, VirtualHost.AttemptCount.NOWHERE, Resending.NONE,
                HeaderChanges.NONE, FilterOverrides.NONE);
        RouteConfiguration routes = new RouteConfiguration("tcp", List.of(host), false, false, HeaderChanges.NONE, FilterOverrides.NONE);
        return new HttpConnectionManager(statPrefix, new Inline(routes), List.of(), Edge.NONE, StreamLimits.NONE);
    }

    private static TcpProxyParser read(Field field, ByteString tcpProxy) {
        TcpProxyParser parser = new TcpProxyParser();
        try {
            parser.read(tcpProxy.newCodedInput());
        } catch (IOException e) {
            throw field.refuse("is not a valid " + TYPE + ": " + e.getMessage());
        }
        return parser;
    }

    private void read(CodedInputStream in) throws IOException {
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            int number = WireFormat.getTagFieldNumber(tag);
            if (tag == message(STAT_PREFIX)) {
                statPrefix = in.readStringRequireUtf8();
            } else if (tag == message(CLUSTER)) {
                clusters.add(WeightedCluster.of(in.readStringRequireUtf8(), 1));
            } else if (tag == message(WEIGHTED_CLUSTERS)) {
                weighted(in.readBytes().newCodedInput());
            } else if (tag == message(MAX_CONNECT_ATTEMPTS)) {
                attempts = number(in.readBytes().newCodedInput());
            } else {
                Optional.ofNullable(LEADING_ELSEWHERE.get(number)).ifPresent(elsewhere::add);
                Optional.ofNullable(WITHOUT_EFFECT.get(number)).ifPresent(withoutEffect::add);
                in.skipField(tag);
            }
        }
    }

    private void weighted(CodedInputStream in) throws IOException {
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            if (tag == message(1)) {
                weightedCluster(in.readBytes().newCodedInput());
            } else {
                in.skipField(tag);
            }
        }
    }

    private void weightedCluster(CodedInputStream in) throws IOException {
        String name = "";
        int weight = 0;
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            if (tag == message(1)) {
                name = in.readStringRequireUtf8();
            } else if (tag == WireFormat.WIRETYPE_VARINT + (2 << 3)) {
                weight = in.readUInt32();
            } else {
                if (tag == message(3)) {
                    elsewhere.add("weighted_clusters");
                }
                in.skipField(tag);
            }
        }
        clusters.add(WeightedCluster.of(name, weight));
    }

    /** In a message of its own. */
    private static int number(CodedInputStream in) throws IOException {
        int number = 0;
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            number = in.readUInt32();
        }
        return number;
    }

    private static int message(int field) {
        return field << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED;
    }
}
