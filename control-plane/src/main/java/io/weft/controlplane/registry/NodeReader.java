package io.weft.controlplane.registry;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import io.envoyproxy.envoy.config.core.v3.Node;
import io.weft.controlplane.policy.Dataplane;
import io.weft.controlplane.policy.Document;
import io.weft.controlplane.policy.Metadata;
import io.weft.controlplane.policy.Problem;
import io.weft.controlplane.policy.ResourceId;
import io.weft.controlplane.policy.ResourceParser;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Reads what a data plane says about itself. Metadata as Kuma's data planes send it: {@code dataplane.resource}, the text of
 * a {@code Dataplane}. A proxy that binds its listeners may say where: {@code weft.outbound.address} (default 127.0.0.1)
 * and {@code weft.outbound.ports}, service port to port, such as {@code {"80": 10080}}. Thread-safe.
 */
public final class NodeReader {

    private static final String AGENT = "weft";
    private static final String RESOURCE = "dataplane.resource";
    private static final String IDENTITY = "weft.identity";
    private static final String OUTBOUND_ADDRESS = "weft.outbound.address";
    private static final String OUTBOUND_PORTS = "weft.outbound.ports";

    /** A mesh, a dot and a name, each as long as a name of DNS may be. */
    private static final int MAX_NAME = 512;
    /** Kept for as long as the stream is. Of an Envoy most are the names of its extensions. */
    private static final int MAX_NODE = 512 << 10;
    /** Of a service with some hundred ports. */
    private static final int MAX_RESOURCE = 64 << 10;

    private final ResourceParser parser;

    public NodeReader(ResourceParser parser) {
        this.parser = parser;
    }

    /** A node that cannot be served. */
    public static final class InvalidNodeException extends Exception {
        private static final long serialVersionUID = 1;

        InvalidNodeException(String message) {
            super(message);
        }
    }

    public ClientNode read(Node node) throws InvalidNodeException {
        Optional<String> resource = text(node.getMetadata(), RESOURCE);
        if (resource.isPresent() && resource.get().length() > MAX_RESOURCE) {
            throw new InvalidNodeException(RESOURCE + " is longer than " + MAX_RESOURCE
                    + " characters; describe the ports that others call, and nothing else");
        }
        ClientNode read = read(node, resource);
        check("the name of the service", read.workload().service(), "; choose a shorter one");
        return read;
    }

    /** Without what it sends as its Dataplane. */
    public ClientNode readUndescribed(Node node) throws InvalidNodeException {
        return read(node, Optional.empty());
    }

    private ClientNode read(Node node, Optional<String> resource) throws InvalidNodeException {
        check("node.id", node.getId(), "; set it to <mesh>.<proxy name>");
        if (node.getId().isEmpty()) {
            throw new InvalidNodeException("node.id is empty; set it to <mesh>.<proxy name>");
        }
        check("node.cluster", node.getCluster(), "; set it to the name of the service");
        if (node.getSerializedSize() > MAX_NODE) {
            throw new InvalidNodeException("node is larger than " + (MAX_NODE >> 10) + " KiB; leave out what of its metadata nobody asks for");
        }
        Struct metadata = node.getMetadata();
        ClientNode.Kind kind =
                node.getUserAgentName().equals(AGENT) ? ClientNode.Kind.AGENT : ClientNode.Kind.PROXY;
        return read(
                node.getId(), node.getCluster(), kind, resource, binding(metadata), text(metadata, IDENTITY).isPresent());
    }

    /** It goes into logs, pages and files. */
    private static void check(String field, String name, String remedy) throws InvalidNodeException {
        if (name.length() > MAX_NAME) {
            throw new InvalidNodeException(field + " is longer than " + MAX_NAME + " characters" + remedy);
        }
        if (!name.chars().allMatch(character -> character > ' ' && character < 0x7f)) {
            throw new InvalidNodeException(field + " has other characters in it than letters, digits and signs of ASCII" + remedy);
        }
    }

    /** @param resource the text of its Dataplane */
    ClientNode read(
            String id,
            String service,
            ClientNode.Kind kind,
            Optional<String> resource,
            ClientNode.Binding binding,
            boolean holdsIdentity)
            throws InvalidNodeException {
        if (resource.isEmpty()) {
            return new ClientNode(id, service, kind, fromId(id), Optional.empty(), binding, holdsIdentity, Optional.empty());
        }
        Document document = parser.parseSent("node " + id, resource.get());
        if (document.resource().isEmpty()) {
            List<Problem> problems = document.problems();
            throw new InvalidNodeException(RESOURCE + " of " + problems.get(0));
        }
        if (!(document.resource().get() instanceof Dataplane dataplane)) {
            throw new InvalidNodeException(RESOURCE + " of node " + id + " must be a Dataplane");
        }
        return new ClientNode(
                id, service, kind, dataplane.metadata(), Optional.of(dataplane), binding, holdsIdentity, Optional.empty());
    }

    private static Metadata fromId(String id) {
        int dot = id.indexOf('.');
        String mesh = dot > 0 ? id.substring(0, dot) : "default";
        String name = dot > 0 ? id.substring(dot + 1) : id;
        return new Metadata(new ResourceId("Dataplane", mesh, name), name, "", Map.of());
    }

    static Optional<String> text(Struct metadata, String key) {
        Value value = metadata.getFieldsMap().get(key);
        return value == null || value.getStringValue().isEmpty() ? Optional.empty() : Optional.of(value.getStringValue());
    }

    private static ClientNode.Binding binding(Struct metadata) throws InvalidNodeException {
        String address = text(metadata, OUTBOUND_ADDRESS).orElse("127.0.0.1");
        Map<Integer, Integer> ports = new HashMap<>();
        Value value = metadata.getFieldsMap().get(OUTBOUND_PORTS);
        if (value != null) {
            for (Map.Entry<String, Value> entry : value.getStructValue().getFieldsMap().entrySet()) {
                try {
                    Value port = entry.getValue();
                    ports.put(
                            Integer.parseInt(entry.getKey()),
                            port.hasNumberValue() ? (int) port.getNumberValue() : Integer.parseInt(port.getStringValue()));
                } catch (NumberFormatException e) {
                    throw new InvalidNodeException("node.metadata." + OUTBOUND_PORTS + "." + entry.getKey()
                            + " must map a service port to a port number");
                }
            }
        }
        return new ClientNode.Binding(address, ports);
    }

    /** The text of the node's Dataplane, if it sent one. */
    public static Optional<String> resource(Node node) {
        return text(node.getMetadata(), RESOURCE);
    }
}
