package io.weft.policy.xds;

import io.weft.policy.ClientStatus;
import io.weft.policy.ClientStatus.State;
import io.weft.policy.PolicyClientStatus.Refusal;
import io.weft.policy.model.Secret;
import io.weft.policy.parse.ResourceType;
import io.weft.policy.proto.envoy.config.core.v3.Node;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/** {@code envoy.admin.v3.ConfigDump}, with the endpoints, as an Envoy tells of itself when it is asked for them, too. */
final class ConfigDumpMessage {
    private static final String ADMIN = "type.googleapis.com/envoy.admin.v3.";

    private final Node node;
    private final List<HeldResources.Held> resources;
    private final Map<String, Secret> secrets;

    /** @param secrets in force, of the control plane and this process's own */
    ConfigDumpMessage(Node node, List<HeldResources.Held> resources, Map<String, Secret> secrets) {
        this.node = node;
        this.resources = resources;
        this.secrets = secrets;
    }

    byte[] bytes() {
        return WireOut.of(this::write);
    }

    String json() {
        return JsonOut.of(this::write);
    }

    private void write(MessageOut dump) throws IOException {
        dump.eachPacked(1, "configs", List.of(
                section("BootstrapConfigDump", out -> out.message(1, "bootstrap", bootstrap -> bootstrap.generated(1, "node", node))),
                section("ClustersConfigDump", out -> out.each(3, "dynamic_active_clusters", each(ResourceType.CLUSTER, "cluster"))),
                section("EndpointsConfigDump",
                        out -> out.each(3, "dynamic_endpoint_configs", each(ResourceType.ENDPOINTS, "endpoint_config"))),
                section("ListenersConfigDump", out -> out.each(3, "dynamic_listeners",
                        held(ResourceType.LISTENER).map(ConfigDumpMessage::listener).toList())),
                section("RoutesConfigDump", out -> out.each(3, "dynamic_route_configs", each(ResourceType.ROUTES, "route_config"))),
                section("SecretsConfigDump", this::secrets)));
    }

    private static MessageOut.Packed section(String type, MessageOut.Fields fields) {
        return new MessageOut.Packed(ADMIN + type, fields);
    }

    private Stream<HeldResources.Held> held(ResourceType type) {
        // Of what has not come an Envoy knows nothing either.
        return resources.stream().filter(held -> held.status().typeUrl().equals(type.typeUrl()) && held.status().state() != State.REQUESTED);
    }

    private List<MessageOut.Fields> each(ResourceType type, String name) {
        return held(type).map(held -> configuration(held, name)).toList();
    }

    /** {@code DynamicCluster}, {@code DynamicEndpointConfig} and {@code DynamicRouteConfig} have the same fields but for one name. */
    private static MessageOut.Fields configuration(HeldResources.Held held, String name) {
        ClientStatus.Resource status = held.status();
        return out -> {
            version(held, name, out);
            failure(4, status, out);
            out.state(5, "client_status", status.state());
        };
    }

    private static MessageOut.Fields listener(HeldResources.Held held) {
        ClientStatus.Resource status = held.status();
        return out -> {
            out.text(1, "name", status.name());
            if (!held.content().isEmpty()) {
                out.message(2, "active_state", state -> version(held, "listener", state));
            }
            failure(5, status, out);
            out.state(6, "client_status", status.state());
        };
    }

    private static void version(HeldResources.Held held, String name, MessageOut out) throws IOException {
        ClientStatus.Resource status = held.status();
        out.text(1, "version_info", status.version());
        if (!held.content().isEmpty()) {
            out.packed(2, name, status.typeUrl(), held.content());
        }
        if (status.updated().isPresent()) {
            out.time(3, "last_updated", status.updated().get());
        }
    }

    private static void failure(int number, ClientStatus.Resource status, MessageOut out) throws IOException {
        if (status.refusal().isPresent()) {
            Refusal refusal = status.refusal().get();
            out.message(number, "error_state", failure -> {
                failure.time(2, "last_update_attempt", refusal.since());
                failure.text(3, "details", WireMessage.details(refusal));
            });
        }
    }

    private void secrets(MessageOut out) throws IOException {
        Map<String, ClientStatus.Resource> asked = new HashMap<>();
        resources.forEach(held -> {
            if (held.status().typeUrl().equals(ResourceType.SECRET.typeUrl())) {
                asked.put(held.status().name(), held.status());
            }
        });
        // Those that a listener or a cluster waits for are the warming ones.
        Set<String> warming = new TreeSet<>(asked.keySet());
        warming.removeAll(secrets.keySet());
        out.each(2, "dynamic_active_secrets",
                new TreeMap<>(secrets).entrySet().stream().map(held -> secret(held.getKey(), held.getValue(), asked.get(held.getKey()))).toList());
        out.each(3, "dynamic_warming_secrets", warming.stream().map(name -> secret(name, null, asked.get(name))).toList());
    }

    /**
     * @param secret null: it is not there
     * @param asked null: it is this process's own
     */
    private static MessageOut.Fields secret(String name, Secret secret, ClientStatus.Resource asked) {
        return out -> {
            out.text(1, "name", name);
            if (asked != null) {
                out.text(2, "version_info", asked.version());
                if (asked.updated().isPresent()) {
                    out.time(3, "last_updated", asked.updated().get());
                }
            }
            out.packed(4, "secret", ResourceType.SECRET.typeUrl(), PublicSecret.of(name, secret).toByteString());
            if (asked != null) {
                failure(5, asked, out);
            }
            out.state(6, "client_status", asked == null ? State.ACKED : asked.state());
        };
    }
}
