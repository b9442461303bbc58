package io.weft.controlplane.policy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Turns documents in Kuma's universal or Kubernetes form into resources. Thread-safe.
 *
 * <p>Meaning and names follow Kuma 2.14; selectors that 3.0 removed are understood too.
 */
public final class ResourceParser {

    private static final String API_VERSION = "kuma.io/v1alpha1";
    private static final List<String> SUPPORTED = Stream.concat(
                    Stream.of("Mesh", "MeshService", "MeshExternalService", "MeshMultiZoneService", "Dataplane", "MeshHTTPRoute", "MeshTCPRoute",
                            "MeshIdentity", "MeshTrust", "MeshTLS", "MeshTrafficPermission", "MeshOpenTelemetryBackend"),
                    PolicyKinds.ALL.stream().map(PolicyKind::name))
            .toList();

    /** It becomes a host name in the virtual hosts; a wildcard there would catch other services' requests. */
    static final Pattern SERVICE_NAME = Pattern.compile("[a-zA-Z0-9]([a-zA-Z0-9._-]{0,250}[a-zA-Z0-9])?");

    /** RFC 1035. */
    private static final Pattern DNS_LABEL = Pattern.compile("[a-z]([-a-z0-9]{0,61}[a-z0-9])?");

    static final Map<String, Protocol> PROTOCOLS = protocols();

    private static Map<String, Protocol> protocols() {
        Map<String, Protocol> protocols = new LinkedHashMap<>();
        protocols.put("http", Protocol.HTTP);
        protocols.put("http2", Protocol.HTTP2);
        protocols.put("grpc", Protocol.GRPC);
        protocols.put("tcp", Protocol.TCP);
        protocols.put("tls", Protocol.TCP);
        protocols.put("kafka", Protocol.TCP);
        return protocols;
    }

    /** What a data plane can prove to be, and so what an identity may be made of. */
    public enum Proof {
        /** A service, by a token of the control plane. */
        SERVICE,
        /** A service account, and the pod that it belongs to, by a token of the cluster. */
        SERVICE_ACCOUNT
    }

    /**
     * In a cluster a namespace is a boundary: what is in it is for itself, whatever its labels say.
     *
     * @param namespace the control plane's own, which alone speaks for all of them
     * @param mesh of what does not say of which it is
     */
    public record Cluster(String namespace, String mesh) {}

    /** What is for nobody to say who may not say it of all; what is called by a name without a namespace is for all callers. */
    private static final Map<String, String> FOR_ALL = Map.of(
            "MeshIdentity", "says for the whole mesh who is who",
            "MeshTrust", "says for the whole mesh who is who",
            "MeshExternalService", "is called by the whole mesh",
            "MeshMultiZoneService", "is called by the whole mesh",
            "MeshOpenTelemetryBackend", "is for the whole mesh to report to");

    private final YamlReader yaml = new YamlReader();
    private final Optional<Cluster> cluster;
    private final Proof proof;

    /** Of a folder: whoever writes it is trusted with all of it. */
    public ResourceParser() {
        this(Optional.empty());
    }

    public ResourceParser(Cluster cluster) {
        this(Optional.of(cluster));
    }

    private ResourceParser(Optional<Cluster> cluster) {
        this.cluster = cluster;
        proof = cluster.isPresent() ? Proof.SERVICE_ACCOUNT : Proof.SERVICE;
    }

    /** Whether it is a kind of resource that Kuma has and that operators write; not all are supported. */
    public static boolean isPolicy(String kind) {
        return SUPPORTED.contains(kind) || RefusedKinds.reason(kind).isPresent() && kind.startsWith("Mesh");
    }

    /** One file's documents, in order. Each stands by itself: a broken one does not hide the others. */
    public List<Document> parseFile(String file, String text) {
        List<Document> documents = new ArrayList<>();
        for (DocumentSplitter.Chunk chunk : DocumentSplitter.split(text)) {
            parse(file, chunk, Problems.UnknownFields.REFUSED).ifPresent(documents::add);
        }
        return documents;
    }

    /** A resource that a data plane sent about itself, as JSON or YAML; fields unknown here are passed over. */
    public Document parseSent(String sender, String text) {
        return parse(sender, new DocumentSplitter.Chunk(1, text), Problems.UnknownFields.IGNORED)
                .orElseGet(() -> new Document(sender, 1, Optional.empty(), Optional.empty(),
                        List.of(new Problem(sender, 1, "", "is empty"))));
    }

    private Optional<Document> parse(String file, DocumentSplitter.Chunk chunk, Problems.UnknownFields unknownFields) {
        Problems problems = new Problems(file, unknownFields);
        Optional<Node> root;
        try {
            root = yaml.read(chunk.text(), chunk.firstLine());
        } catch (YamlReader.MalformedException e) {
            problems.add(e.line(), "", "is not valid YAML: " + e.getMessage());
            return Optional.of(
                    new Document(file, chunk.firstLine(), Optional.empty(), Optional.empty(), problems.all()));
        }
        return root.map(node -> document(file, node, problems));
    }

    private Document document(String file, Node node, Problems problems) {
        if (!(node instanceof Node.Mapping mapping)) {
            problems.add(node.line(), "", "needs a mapping with type, name, mesh and spec, not " + node.describe());
            return new Document(file, node.line(), Optional.empty(), Optional.empty(), problems.all());
        }
        Fields root = new Fields("", mapping, problems);
        Envelope envelope = envelope(root);
        Optional<ResourceId> id = envelope.identity();
        Optional<Resource> resource = Optional.empty();
        if (id.isPresent()) {
            Resource built = resource(envelope);
            root.end();
            if (problems.isEmpty()) {
                resource = Optional.of(built);
            }
        }
        return new Document(file, node.line(), id, resource, problems.all());
    }

    /**
     * The part of a document that says what it is.
     *
     * @param legacyBody where the fields of Mesh and Dataplane stand: beside the name in the universal form, in the spec
     *     in the Kubernetes form
     */
    private record Envelope(String type, Optional<Metadata> metadata, Fields root, Optional<Fields> legacyBody) {

        Optional<ResourceId> identity() {
            return metadata.map(Metadata::id);
        }

        Fields spec() {
            return root.require("spec").fields();
        }
    }

    private Envelope envelope(Fields root) {
        Optional<Value> apiVersion = root.get("apiVersion");
        Optional<Value> type = root.get("type");
        if (apiVersion.isPresent()) {
            return kubernetes(root, apiVersion.get());
        }
        if (type.isEmpty()) {
            root.refuse("type", "is missing; say which resource this is, for example type: MeshHTTPRoute");
            return new Envelope("", Optional.empty(), root, Optional.empty());
        }
        String kind = supportedType(type.get());
        String name = root.require("name").nonEmptyText();
        String mesh = kind.equals("Mesh")
                ? name
                : root.get("mesh").map(Value::nonEmptyText).orElse("default");
        Map<String, String> labels = root.texts("labels");
        root.accept("creationTime", "modificationTime", "kri", "status");
        if (kind.isEmpty() || name.isEmpty()) {
            return new Envelope(kind, Optional.empty(), root, Optional.empty());
        }
        checkName(kind, name, root);
        Metadata metadata = new Metadata(new ResourceId(kind, mesh, name), name, "", labels);
        return new Envelope(kind, Optional.of(metadata), root, Optional.of(root));
    }

    private static void checkName(String kind, String name, Fields fields) {
        if (kind.equals("MeshExternalService") || kind.equals("MeshMultiZoneService")) {
            if (!DNS_LABEL.matcher(name).matches()) {
                fields.refuse("name", "must be a label of a host name: small letters, digits and '-', at most 63, a letter first");
            }
        } else if (kind.equals("MeshService") && !SERVICE_NAME.matcher(name).matches()) {
            fields.refuse("name", "must be a name of letters, digits, '.', '-' and '_', not '" + name + "'");
        }
    }

    private Envelope kubernetes(Fields root, Value apiVersion) {
        if (!apiVersion.text().equals(API_VERSION)) {
            apiVersion.refuse("must be " + API_VERSION + "; other Kubernetes objects do not belong in a policy folder");
            return new Envelope("", Optional.empty(), root, Optional.empty());
        }
        String kind = supportedType(root.require("kind"));
        Fields meta = root.require("metadata").fields();
        String name = meta.require("name").nonEmptyText();
        String namespace = meta.get("namespace").map(Value::nonEmptyText).orElse("");
        Map<String, String> labels = labels(meta.texts("labels"), namespace);
        meta.accept("annotations", "creationTimestamp", "generation", "resourceVersion", "uid", "managedFields",
                "finalizers", "ownerReferences", "generateName", "selfLink");
        meta.end();
        root.accept("status");
        String mesh = kind.equals("Mesh")
                ? name
                : root.get("mesh").map(Value::nonEmptyText).orElse(labels.getOrDefault(Labels.MESH, cluster.map(Cluster::mesh).orElse("default")));
        if (kind.isEmpty() || name.isEmpty()) {
            return new Envelope(kind, Optional.empty(), root, Optional.empty());
        }
        checkName(kind, name, meta);
        if (cluster.isPresent() && FOR_ALL.containsKey(kind) && !namespace.equals(cluster.get().namespace())) {
            meta.refuse("namespace", "must be " + cluster.get().namespace() + ", the control plane's own: a " + kind
                    + " " + FOR_ALL.get(kind));
        }
        String coreName = namespace.isEmpty() ? name : name + "." + namespace;
        Metadata metadata = new Metadata(new ResourceId(kind, mesh, coreName), name, namespace, labels);
        Optional<Fields> body = kind.equals("Mesh") ? root.get("spec").map(Value::fields) : Optional.empty();
        if (kind.equals("Dataplane")) {
            body = Optional.of(root.require("spec").fields());
        }
        return new Envelope(kind, Optional.of(metadata), root, body);
    }

    /** Those by which a policy would reach beyond its namespace count in the control plane's own alone. */
    private Map<String, String> labels(Map<String, String> written, String namespace) {
        if (cluster.isEmpty()) {
            return written;
        }
        Map<String, String> labels = new HashMap<>(written);
        if (namespace.equals(cluster.get().namespace())) {
            labels.putIfAbsent(Labels.POLICY_ROLE, "system");
        } else {
            labels.remove(Labels.POLICY_ROLE);
            labels.put(Labels.NAMESPACE, namespace);
        }
        return labels;
    }

    /** The type's name; empty, with a problem noted, if it cannot be served. */
    private static String supportedType(Value type) {
        String name = type.text();
        if (SUPPORTED.contains(name)) {
            return name;
        }
        if (!name.isEmpty()) {
            type.refuse(RefusedKinds.reason(name)
                    .map(reason -> "'" + name + "' is not supported: " + reason + "; move the document out of the policy folder")
                    .orElseGet(() -> "'" + name + "' is not a resource of Kuma; supported are " + String.join(", ", SUPPORTED)
                            + Spelling.suggestion(name, SUPPORTED)));
        }
        return "";
    }

    private Resource resource(Envelope envelope) {
        Metadata metadata = envelope.metadata().orElseThrow();
        return switch (envelope.type()) {
            case "Mesh" -> mesh(metadata, envelope);
            case "Dataplane" -> dataplane(metadata, envelope);
            case "MeshService" -> meshService(metadata, envelope.spec());
            case "MeshExternalService" -> MeshExternalServiceParser.parse(metadata, envelope.spec());
            case "MeshMultiZoneService" -> MeshMultiZoneServiceParser.parse(metadata, envelope.spec());
            case "MeshOpenTelemetryBackend" -> CollectorParser.backend(metadata, envelope.spec());
            case "MeshIdentity" -> IdentityParser.identity(metadata, envelope.spec(), proof);
            case "MeshTrust" -> IdentityParser.trust(metadata, envelope.spec());
            case "MeshTLS" -> MeshTlsParser.parse(ofWhoIsCalled(metadata), envelope.spec());
            case "MeshTrafficPermission" -> MeshTrafficPermissionParser.parse(ofWhoIsCalled(metadata), envelope.spec(), proof);
            case "MeshHTTPRoute", "MeshTCPRoute" -> route(metadata, envelope.spec());
            default -> PolicyParser.parse(PolicyKinds.named().get(envelope.type()), metadata, envelope.spec(), proof);
        };
    }

    private Metadata ofWhoIsCalled(Metadata metadata) {
        return cluster.isPresent() && metadata.lacksRole() ? metadata.withRole("workload-owner") : metadata;
    }

    /** One to services of its own namespace is for all who call them, any other for the callers of its namespace. */
    private MeshHttpRoute route(Metadata metadata, Fields spec) {
        MeshHttpRoute route = MeshHttpRouteParser.parse(metadata, spec);
        if (cluster.isEmpty() || !metadata.lacksRole()) {
            return route;
        }
        boolean producer = route.to().stream()
                .map(MeshHttpRoute.To::destination)
                .allMatch(to -> to.name().isPresent() && to.namespace().equals(metadata.namespace()));
        return new MeshHttpRoute(
                metadata.withRole(producer ? "producer" : "consumer"), route.target(), route.unmatched(), route.to());
    }

    private Mesh mesh(Metadata metadata, Envelope envelope) {
        Set<String> skipped = new HashSet<>();
        Optional<Mesh.Mtls> mtls = envelope.legacyBody().flatMap(body -> {
            Optional<Mesh.Mtls> backend = body.get("mtls").flatMap(value -> IdentityParser.mtls(value, proof));
            body.unsupported("routing", "remove the field");
            body.unsupported("logging", "remove the field");
            body.unsupported("tracing", "remove the field");
            body.unsupported("metrics", "remove the field");
            body.unsupported("networking", "remove the field");
            body.unsupported("constraints", "remove the field");
            for (Value item : body.items("skipCreatingInitialPolicies")) {
                skipped.add(item.nonEmptyText());
            }
            // Services are always served as MeshServices.
            body.accept("meshServices");
            body.end();
            return backend;
        });
        return new Mesh(metadata, skipped, mtls);
    }

    private static Dataplane dataplane(Metadata metadata, Envelope envelope) {
        Fields body = envelope.legacyBody().orElseThrow();
        Fields networking = body.require("networking").fields();
        String address = ipAddress(networking.require("address"));
        networking.unsupported("gateway", "gateways are not served; describe the service's own ports under inbound");
        networking.unsupported("listeners", "describe the service's own ports under inbound");
        // What a data plane binds or redirects on its own host has no meaning for the others.
        networking.accept("outbound", "transparentProxying", "advertisedAddress", "admin");
        Map<Integer, Set<String>> healthPaths = body.get("probes").map(value -> healthPaths(value.fields())).orElse(Map.of());
        List<Dataplane.Inbound> inbounds = new ArrayList<>();
        for (Value item : networking.items("inbound")) {
            inbound(item.fields(), address, metadata, healthPaths).ifPresent(inbounds::add);
        }
        networking.end();
        body.unsupported("metrics", "remove the field");
        if (body != envelope.root()) {
            body.end();
        }
        return new Dataplane(metadata, address, inbounds);
    }

    /** By port. Kuma has them asked for on a port of their own, under other paths; here they are asked for as the app has them. */
    private static Map<Integer, Set<String>> healthPaths(Fields probes) {
        probes.accept("port");
        Map<Integer, Set<String>> paths = new HashMap<>();
        for (Value item : probes.items("endpoints")) {
            Fields endpoint = item.fields();
            int port = endpoint.require("inboundPort").port();
            String path = endpoint.require("inboundPath").nonEmptyText();
            if (!path.startsWith("/")) {
                endpoint.refuse("inboundPath", "must begin with '/', as in /healthz");
            }
            endpoint.accept("path");
            endpoint.end();
            paths.computeIfAbsent(port, key -> new HashSet<>()).add(path);
        }
        probes.end();
        return paths;
    }

    /** Absent if Kuma ignores it too. */
    private static Optional<Dataplane.Inbound> inbound(
            Fields fields, String dataplaneAddress, Metadata metadata, Map<Integer, Set<String>> healthPaths) {
        int port = fields.require("port").port();
        String address = fields.get("address").map(ResourceParser::ipAddress).orElse(dataplaneAddress);
        Optional<String> name = fields.get("name").map(Value::nonEmptyText);
        int servicePort = fields.get("servicePort").map(value -> (int) value.whole(0, 65_535)).orElse(0);
        String serviceAddress = fields.get("serviceAddress").map(ResourceParser::ipAddress).orElse("127.0.0.1");
        String state = fields.get("state")
                .map(value -> value.choice(words("Ready", "NotReady", "Ignored")))
                .orElse("Ready");
        boolean healthy = fields.get("health")
                .map(value -> {
                    Fields health = value.fields();
                    boolean ready = health.get("ready").map(Value::bool).orElse(true);
                    health.end();
                    return ready;
                })
                .orElse(true);
        Map<String, String> tags = new HashMap<>(metadata.labels());
        tags.putAll(fields.texts("tags"));
        String workload = metadata.labels().get(Labels.WORKLOAD);
        if (workload != null) {
            tags.putIfAbsent(Labels.SERVICE, workload);
        }
        if (!tags.containsKey(Labels.SERVICE)) {
            fields.refuse("tags", "needs the tag " + Labels.SERVICE
                    + ", the name under which others call this port");
        } else if (!SERVICE_NAME.matcher(tags.get(Labels.SERVICE)).matches()) {
            fields.refuse("tags", Labels.SERVICE + " must be a name of letters, digits, '.', '-' and '_', not '"
                    + tags.get(Labels.SERVICE) + "'");
        }
        Optional<Protocol> protocol = fields.get("protocol").map(value -> value.choice(PROTOCOLS));
        if (protocol.isEmpty() && tags.containsKey(Labels.PROTOCOL)) {
            protocol = Optional.ofNullable(PROTOCOLS.get(tags.get(Labels.PROTOCOL)));
            if (protocol.isEmpty()) {
                fields.refuse("tags", Labels.PROTOCOL + " must be one of " + String.join(", ", PROTOCOLS.keySet())
                        + ", not '" + tags.get(Labels.PROTOCOL) + "'");
            }
        }
        fields.unsupported("serviceProbe", "remove the field");
        fields.end();
        if (state.equals("Ignored")) {
            return Optional.empty();
        }
        boolean ready = state.equals("Ready") && healthy;
        return Optional.of(new Dataplane.Inbound(port, address, name, servicePort == 0 ? port : servicePort, serviceAddress, ready, tags,
                protocol, healthPaths.getOrDefault(port, Set.of())));
    }

    private static MeshService meshService(Metadata metadata, Fields spec) {
        Fields selector = spec.require("selector").fields();
        Optional<Value> tags = selector.get("dataplaneTags");
        Optional<Value> labels = selector.get("dataplaneLabels");
        Optional<Value> ref = selector.get("dataplaneRef");
        MeshService.Selector chosen = new MeshService.ByTags(Map.of());
        if (tags.isPresent()) {
            chosen = new MeshService.ByTags(tags.get().texts());
        } else if (labels.isPresent()) {
            Fields fields = labels.get().fields();
            chosen = new MeshService.ByLabels(fields.require("matchLabels").texts());
            fields.end();
        } else if (ref.isPresent()) {
            Fields fields = ref.get().fields();
            chosen = new MeshService.ByName(fields.require("name").nonEmptyText());
            fields.end();
        } else {
            spec.refuse("selector", "needs one of dataplaneTags, dataplaneLabels and dataplaneRef");
        }
        selector.end();
        List<MeshService.Port> ports = new ArrayList<>();
        Set<Integer> numbers = new HashSet<>();
        for (Value item : spec.require("ports").items()) {
            Fields fields = item.fields();
            int port = fields.require("port").port();
            Optional<String> name = fields.get("name").map(Value::nonEmptyText);
            Optional<MeshService.Target> target = fields.get("targetPort").map(ResourceParser::target);
            Protocol protocol = fields.get("appProtocol").map(value -> value.choice(PROTOCOLS)).orElse(Protocol.HTTP);
            fields.end();
            if (!numbers.add(port)) {
                fields.refuse("port", "occurs twice in this service; keep one");
            }
            ports.add(new MeshService.Port(port, name, target, protocol));
        }
        if (ports.isEmpty()) {
            spec.refuse("ports", "needs at least one port");
        }
        // Computed by Kuma; who its instances are is known here from who they are.
        spec.accept("state", "identities");
        spec.end();
        return new MeshService(metadata, chosen, ports);
    }

    private static MeshService.Target target(Value value) {
        return value.node() instanceof Node.Whole
                ? new MeshService.TargetNumber(value.port())
                : new MeshService.TargetName(value.nonEmptyText());
    }

    private static String ipAddress(Value value) {
        String text = value.nonEmptyText();
        if (!text.isEmpty() && !IpLiteral.is(text)) {
            value.refuse("must be an IP address, not the host name '" + text
                    + "': endpoints are not resolved by the control plane");
        }
        return text;
    }

    static Map<String, String> words(String... words) {
        Map<String, String> choices = new LinkedHashMap<>();
        for (String word : words) {
            choices.put(word, word);
        }
        return choices;
    }
}
