package io.weft.controlplane.xds;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import io.envoyproxy.envoy.config.core.v3.Node;
import java.util.StringJoiner;

/** What agents say of themselves. */
public final class Nodes {

    public static Node agent(String service, String suffix, int port, String version) {
        return agent(service, suffix, "Ready", port, version);
    }

    public static Node agent(String service, String suffix, String state, int port, String version) {
        return agent(service, suffix, "{\"port\":%d,\"state\":\"%s\",\"tags\":{\"kuma.io/service\":\"%s\","
                .formatted(port, state, service)
                + "\"kuma.io/protocol\":\"http\",\"version\":\"%s\"}}".formatted(version));
    }

    public static Node client(String service) {
        return agent(service, "0");
    }

    public static Node agent(String service, String suffix, String... inbounds) {
        StringJoiner list = new StringJoiner(",");
        for (String inbound : inbounds) {
            list.add(inbound);
        }
        String name = service + "-" + suffix;
        String resource = "{\"type\":\"Dataplane\",\"mesh\":\"default\",\"name\":\"" + name
                + "\",\"networking\":{\"address\":\"127.0.0.1\",\"inbound\":[" + list + "]}}";
        return Node.newBuilder()
                .setId("default." + name)
                .setCluster(service)
                .setUserAgentName("weft")
                .setMetadata(Struct.newBuilder()
                        .putFields("dataplane.proxyType", text("dataplane"))
                        .putFields("dataplane.resource", text(resource)))
                .build();
    }

    /** The same in another mesh than the default one. */
    public static Node inMesh(String mesh, Node node) {
        String resource = node.getMetadata().getFieldsOrThrow("dataplane.resource").getStringValue();
        return node.toBuilder()
                .setId(mesh + node.getId().substring("default".length()))
                .setMetadata(node.getMetadata().toBuilder().putFields(
                        "dataplane.resource", text(resource.replace("\"mesh\":\"default\"", "\"mesh\":\"" + mesh + "\""))))
                .build();
    }

    /** The same with what an agent says of its program. */
    public static Node built(Node node, String version, long pid) {
        return node.toBuilder()
                .setMetadata(node.getMetadata().toBuilder()
                        .putFields("weft.version", text(version))
                        .putFields("weft.pid", Value.newBuilder().setNumberValue(pid).build()))
                .build();
    }

    /** The same that takes virtual hosts one by one. */
    public static Node incremental(Node node) {
        return node.toBuilder().addClientFeatures("io.weft.virtual-hosts").build();
    }

    static Value text(String text) {
        return Value.newBuilder().setStringValue(text).build();
    }

    private Nodes() {}
}
