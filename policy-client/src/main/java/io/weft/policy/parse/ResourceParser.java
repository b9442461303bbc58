package io.weft.policy.parse;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.weft.policy.model.NameTable;
import io.weft.policy.model.Resource;
import io.weft.policy.model.Unhonoured;
import io.weft.policy.parse.ParseOutcome.Accepted;
import io.weft.policy.parse.ParseOutcome.Refused;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster;
import io.weft.policy.proto.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.weft.policy.proto.envoy.config.listener.v3.Listener;
import io.weft.policy.proto.envoy.config.route.v3.RouteConfiguration;
import io.weft.policy.proto.envoy.config.route.v3.VirtualHost;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.Secret;
import io.weft.policy.proto.envoy.service.discovery.v3.DeltaDiscoveryResponse;
import io.weft.policy.proto.envoy.service.discovery.v3.DiscoveryResponse;
import io.weft.policy.proto.protobuf.Any;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Parses resources. Never throws for what a control plane sent. */
public final class ResourceParser {
    private static final String WRAPPER = "envoy.service.discovery.v3.Resource";

    private final ResourceType type;
    private final List<String> reported = new ArrayList<>();
    private String name;

    private ResourceParser(ResourceType type, String name) {
        this.type = type;
        this.name = name;
    }

    /**
     * The resources of a state-of-the-world response, in order, bare or wrapped in {@code envoy.service.discovery.v3.Resource}.
     * A name that occurs twice is refused the second time.
     */
    public static List<ParseOutcome> parse(ResourceType type, DiscoveryResponse response) {
        List<ParseOutcome> outcomes = new ArrayList<>(response.getResourcesCount());
        Set<String> names = new HashSet<>();
        for (int i = 0; i < response.getResourcesCount(); i++) {
            Any resource = response.getResources(i);
            ParseOutcome outcome = Extensions.typeOf(resource).equals(WRAPPER)
                    ? unwrap(type, response.getVersionInfo(), i, resource)
                    : parse(type, "", response.getVersionInfo(), resource);
            outcomes.add(once(names, outcome));
        }
        return outcomes;
    }

    /** The resources of a delta response, in order; those without a body (heartbeats) are left out. */
    public static List<ParseOutcome> parse(ResourceType type, DeltaDiscoveryResponse response) {
        List<ParseOutcome> outcomes = new ArrayList<>(response.getResourcesCount());
        Set<String> names = new HashSet<>();
        for (var resource : response.getResourcesList()) {
            if (resource.hasResource()) {
                outcomes.add(once(names, parse(type, resource.getName(), resource.getVersion(), resource.getResource())));
            }
        }
        return outcomes;
    }

    /** One resource as the cache kept it. */
    public static ParseOutcome parse(RawResource raw) {
        return new ResourceParser(raw.type(), raw.name()).parse(raw.version(), raw.bytes());
    }

    private static ParseOutcome unwrap(ResourceType type, String version, int index, Any wrapped) {
        try {
            var resource = io.weft.policy.proto.envoy.service.discovery.v3.Resource.parseFrom(wrapped.getValue());
            String own = resource.getVersion().isEmpty() ? version : resource.getVersion();
            return parse(type, resource.getName(), own, resource.getResource());
        } catch (InvalidProtocolBufferException e) {
            return new Refused(type, "", "resources[" + index + "]", "is not a valid " + WRAPPER + ": " + e.getMessage());
        }
    }

    /** @param name as the response calls the resource; empty when it does not */
    private static ParseOutcome parse(ResourceType type, String name, String version, Any resource) {
        if (!resource.getTypeUrl().equals(type.typeUrl())) {
            return new Refused(type, name, "", "has the type '" + resource.getTypeUrl() + "' in a response of type '"
                    + type.typeUrl() + "'");
        }
        return new ResourceParser(type, name).parse(version, resource.getValue());
    }

    private static ParseOutcome once(Set<String> names, ParseOutcome outcome) {
        if (outcome.name().isEmpty() || names.add(outcome.name())) {
            return outcome;
        }
        return new Refused(outcome.type(), outcome.name(), "", "occurs twice in one response; the first one counts");
    }

    private ParseOutcome parse(String version, ByteString bytes) {
        String expected = name;
        try {
            Field root = Field.root(reported);
            Resource resource = resource(root, bytes);
            UnknownFields.check(root, type.message(), bytes);
            if (!expected.isEmpty() && !expected.equals(name)) {
                String own = name;
                name = expected;
                return new Refused(type, expected, nameField(), "is '" + own + "', but the response calls the resource '"
                        + expected + "'");
            }
            String label = type.label() + ' ' + name;
            List<Unhonoured> unhonoured = new ArrayList<>(reported.size());
            for (String path : reported) {
                unhonoured.add(new Unhonoured(label, path));
            }
            return new Accepted(new RawResource(type, name, version, bytes), resource, unhonoured);
        } catch (InvalidProtocolBufferException e) {
            return new Refused(type, expected, "", "is not a valid " + type.label() + ": " + e.getMessage());
        } catch (Refusal e) {
            return new Refused(type, expected.isEmpty() ? name : expected, e.path(), e.getMessage());
        }
    }

    private Resource resource(Field root, ByteString bytes) throws InvalidProtocolBufferException {
        switch (type) {
            case CLUSTER:
                Cluster cluster = Cluster.parseFrom(bytes);
                name = cluster.getName();
                return ClusterParser.parse(root, cluster);
            case ENDPOINTS:
                ClusterLoadAssignment assignment = ClusterLoadAssignment.parseFrom(bytes);
                name = assignment.getClusterName();
                return EndpointParser.withLiterals(root, assignment);
            case LISTENER:
                Listener listener = Listener.parseFrom(bytes);
                name = listener.getName();
                return ListenerParser.parse(root, listener);
            case ROUTES:
                RouteConfiguration routes = RouteConfiguration.parseFrom(bytes);
                name = routes.getName();
                root.at("name").notEmpty(name);
                return RouteConfigurationParser.resource(root, routes);
            case VIRTUAL_HOSTS:
                VirtualHost host = VirtualHost.parseFrom(bytes);
                name = host.getName();
                return RouteConfigurationParser.resource(root, host);
            case SECRET:
                Secret secret = Secret.parseFrom(bytes);
                name = secret.getName();
                return SecretParser.parse(root, secret);
            case NAMES:
                name = NameTable.NAME;
                return NameTableParser.parse(bytes);
            default:
                throw new AssertionError(type);
        }
    }

    private String nameField() {
        return type == ResourceType.ENDPOINTS ? "cluster_name" : "name";
    }
}
