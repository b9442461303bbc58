package io.weft.policy.xds;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import io.weft.policy.ClientStatus;
import io.weft.policy.ClientStatus.State;
import io.weft.policy.model.Secret;
import io.weft.policy.parse.ResourceType;
import io.weft.policy.proto.envoy.config.core.v3.Node;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** {@code envoy.admin.v3.ConfigDump} on the wire, with the endpoints, as an Envoy tells of itself when it is asked for them, too. */
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
        return WireMessage.of(dump -> {
            section(dump, "BootstrapConfigDump", out -> out.writeByteArray(1, WireMessage.of(bootstrap -> bootstrap.writeByteArray(1, node.toByteArray()))));
            section(dump, "ClustersConfigDump", out -> each(ResourceType.CLUSTER, held -> out.writeByteArray(3, configuration(held))));
            section(dump, "EndpointsConfigDump", out -> each(ResourceType.ENDPOINTS, held -> out.writeByteArray(3, configuration(held))));
            section(dump, "ListenersConfigDump", out -> each(ResourceType.LISTENER, held -> out.writeByteArray(3, listener(held))));
            section(dump, "RoutesConfigDump", out -> each(ResourceType.ROUTES, held -> out.writeByteArray(3, configuration(held))));
            section(dump, "SecretsConfigDump", this::secrets);
        });
    }

    private static void section(CodedOutputStream dump, String type, WireMessage.Fields fields) throws IOException {
        dump.writeByteArray(1, WireMessage.any(ADMIN + type, ByteString.copyFrom(WireMessage.of(fields))));
    }

    private interface Told {
        void write(HeldResources.Held held) throws IOException;
    }

    private void each(ResourceType type, Told told) throws IOException {
        for (HeldResources.Held held : resources) {
            // Of what has not come an Envoy knows nothing either.
            if (held.status().typeUrl().equals(type.typeUrl()) && held.status().state() != State.REQUESTED) {
                told.write(held);
            }
        }
    }

    /** {@code DynamicCluster}, {@code DynamicEndpointConfig} and {@code DynamicRouteConfig} have the same fields. */
    private static byte[] configuration(HeldResources.Held held) {
        ClientStatus.Resource status = held.status();
        return WireMessage.of(out -> {
            version(held, out);
            if (status.refusal().isPresent()) {
                out.writeByteArray(4, WireMessage.failure(status.refusal().get()));
            }
            out.writeEnum(5, WireMessage.number(status.state()));
        });
    }

    private static byte[] listener(HeldResources.Held held) {
        ClientStatus.Resource status = held.status();
        return WireMessage.of(out -> {
            out.writeString(1, status.name());
            if (!held.content().isEmpty()) {
                out.writeByteArray(2, WireMessage.of(state -> version(held, state)));
            }
            if (status.refusal().isPresent()) {
                out.writeByteArray(5, WireMessage.failure(status.refusal().get()));
            }
            out.writeEnum(6, WireMessage.number(status.state()));
        });
    }

    private static void version(HeldResources.Held held, CodedOutputStream out) throws IOException {
        ClientStatus.Resource status = held.status();
        out.writeString(1, status.version());
        if (!held.content().isEmpty()) {
            out.writeByteArray(2, WireMessage.any(status.typeUrl(), held.content()));
        }
        if (status.updated().isPresent()) {
            out.writeByteArray(3, WireMessage.timestamp(status.updated().get()));
        }
    }

    private void secrets(CodedOutputStream out) throws IOException {
        Map<String, ClientStatus.Resource> asked = new HashMap<>();
        resources.forEach(held -> {
            if (held.status().typeUrl().equals(ResourceType.SECRET.typeUrl())) {
                asked.put(held.status().name(), held.status());
            }
        });
        Set<String> names = new TreeSet<>(asked.keySet());
        names.addAll(secrets.keySet());
        for (String name : names) {
            Secret secret = secrets.get(name);
            // Those that a listener or a cluster waits for are the warming ones.
            out.writeByteArray(secret == null ? 3 : 2, secret(name, secret, asked.get(name)));
        }
    }

    /**
     * @param secret null: it is not there
     * @param asked null: it is this process's own
     */
    private static byte[] secret(String name, Secret secret, ClientStatus.Resource asked) {
        return WireMessage.of(out -> {
            out.writeString(1, name);
            if (asked != null) {
                out.writeString(2, asked.version());
                if (asked.updated().isPresent()) {
                    out.writeByteArray(3, WireMessage.timestamp(asked.updated().get()));
                }
            }
            out.writeByteArray(4, WireMessage.any(ResourceType.SECRET.typeUrl(), PublicSecret.of(name, secret).toByteString()));
            if (asked != null && asked.refusal().isPresent()) {
                out.writeByteArray(5, WireMessage.failure(asked.refusal().get()));
            }
            out.writeEnum(6, WireMessage.number(asked == null ? State.ACKED : asked.state()));
        });
    }
}
