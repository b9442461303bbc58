package io.weft.controlplane.xds;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.weft.controlplane.load.Destinations;
import io.weft.controlplane.registry.ClientNode;
import io.weft.controlplane.xds.effect.Called;
import io.weft.controlplane.xds.effect.ClusterEffects;
import io.weft.controlplane.xds.effect.ListenerEffects;
import io.weft.controlplane.xds.effect.RouteEffects;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** What the data planes of one mesh would get otherwise than they do. */
public final class MeshDiff {

    private MeshDiff() {}

    /**
     * The same change for all instances of some services.
     *
     * @param services whose data planes it is for
     * @param resource its type and name
     * @param summary what that means for them, a sentence each
     * @param lines what differs in it, each with {@code +}, {@code -} or {@code ~} in front
     */
    public record Change(List<String> services, String resource, List<String> summary, List<String> lines) {}

    /** Of one resource. One of the two is null where it comes or goes. */
    private record Difference(ResourceType type, String name, Versioned was, Versioned is) {

        Change seenBy(Called called) {
            return new Change(called.services(), type.name().toLowerCase(Locale.ROOT) + " " + name, summary(called), ResourceDiff.lines(was, is));
        }

        private List<String> summary(Called called) {
            return switch (type) {
                case ROUTE -> new RouteEffects(called).of(
                        message(was, RouteConfiguration.getDefaultInstance()), message(is, RouteConfiguration.getDefaultInstance()));
                case CLUSTER -> new ClusterEffects(called).of(
                        name, message(was, Cluster.getDefaultInstance()), message(is, Cluster.getDefaultInstance()));
                case ENDPOINT -> new ClusterEffects(called).of(
                        name, message(was, ClusterLoadAssignment.getDefaultInstance()), message(is, ClusterLoadAssignment.getDefaultInstance()));
                case LISTENER -> new ListenerEffects(called).of(
                        message(was, Listener.getDefaultInstance()), message(is, Listener.getDefaultInstance()));
                // The first are left out, the others come within routes here.
                case SECRET, VIRTUAL_HOST -> List.of();
            };
        }

        @SuppressWarnings("unchecked")
        private static <M extends Message> M message(Versioned resource, M none) {
            try {
                return resource == null ? none : (M) none.getParserForType().parseFrom(resource.message().getValue());
            } catch (InvalidProtocolBufferException e) {
                throw new IllegalStateException(resource.name(), e);
            }
        }
    }

    /** Certificates are not compared: they come and go without a policy. */
    public static List<Change> between(MeshCompiler before, MeshCompiler after, Collection<ClientNode> nodes) {
        Map<String, Difference> differences = new TreeMap<>();
        Map<String, Set<String>> services = new TreeMap<>();
        for (ClientNode node : nodes) {
            NodeConfig old = before.configFor(node, false);
            NodeConfig now = after.configFor(node, false);
            for (ResourceType type : ResourceType.values()) {
                if (type == ResourceType.SECRET || old.of(type).sameAs(now.of(type))) {
                    continue;
                }
                for (String name : names(old.of(type), now.of(type))) {
                    Versioned was = old.of(type).get(name);
                    Versioned is = now.of(type).get(name);
                    if (was != null && is != null && was.version().equals(is.version())) {
                        continue;
                    }
                    String key = type.ordinal() + name + '\0' + (was == null ? "" : was.version()) + '\0' + (is == null ? "" : is.version());
                    services.computeIfAbsent(key, absent -> new TreeSet<>()).add(node.workload().service());
                    differences.putIfAbsent(key, new Difference(type, name, was, is));
                }
            }
        }
        // All clusters are known by now.
        Destinations old = before.destinations();
        Destinations now = after.destinations();
        List<Change> all = new ArrayList<>();
        differences.forEach((key, difference) -> all.add(difference.seenBy(new Called(List.copyOf(services.get(key)), old, now))));
        return all;
    }

    private static Set<String> names(NodeConfig.Layers some, NodeConfig.Layers others) {
        Set<String> names = new TreeSet<>();
        for (NodeConfig.Layers layers : List.of(some, others)) {
            layers.shared().resources().forEach(resource -> names.add(resource.name()));
            layers.own().resources().forEach(resource -> names.add(resource.name()));
        }
        return names;
    }
}
