package io.weft.controlplane.xds;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.google.protobuf.Any;
import io.weft.controlplane.ca.Pem;
import io.weft.controlplane.ca.Root;
import io.weft.controlplane.ca.RootSet;
import io.weft.controlplane.policy.Document;
import io.weft.controlplane.policy.Problem;
import io.weft.controlplane.policy.ResourceParser;
import io.weft.controlplane.registry.ClientNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * No field of Kuma's policies is ignored in silence: what is said by it changes what is served, or it is refused by name, or the reason
 * why it makes no difference is here. Prints {@code docs/policy-fields.md}, which {@code -Dweft.it.write-docs=true} writes.
 */
class KumaFieldsTest {

    private static final Path PAGE = Path.of("..", "docs", "policy-fields.md");
    private static final String TARGET = "targetRef";
    private static final ObjectMapper JSON = new ObjectMapper();
    /** A certificate. */
    private static final String ANOTHER = Pem.of(RootSet.first("another", Instant.now()).signing().chain());

    /** What policies lead to and choose from. */
    private static final String MESH = """
            type: Mesh
            name: envoyconfig
            skipCreatingInitialPolicies: ["*"]
            mtls: {enabledBackend: ca-1, backends: [{name: ca-1, type: builtin}]}
            ---
            type: Dataplane
            name: demo-client
            mesh: envoyconfig
            labels: {tier: front}
            networking:
              address: 10.0.0.1
              inbound: [{port: 3000, tags: {kuma.io/service: demo-client, kuma.io/protocol: http, kuma.io/zone: kuma-3, version: v1, k8s.io/node: a, k8s.io/az: b}}]
            ---
            type: Dataplane
            name: test-server
            mesh: envoyconfig
            labels: {team: shop}
            networking:
              address: 10.0.0.2
              inbound: [{port: 80, name: main, servicePort: 8080, tags: {kuma.io/service: test-server, kuma.io/protocol: http, kuma.io/zone: kuma-3, version: v1, k8s.io/node: a, k8s.io/az: b}}]
            ---
            type: Dataplane
            name: test-server-2
            mesh: envoyconfig
            networking:
              address: 10.0.0.3
              inbound: [{port: 80, tags: {kuma.io/service: test-server, kuma.io/protocol: http, kuma.io/zone: kuma-4, version: v2, k8s.io/node: b}}]
            ---
            type: Dataplane
            name: test-server-3
            mesh: envoyconfig
            networking:
              address: 10.0.0.4
              inbound: [{port: 80, tags: {kuma.io/service: test-server, kuma.io/protocol: http, kuma.io/zone: kuma-3, version: v2, k8s.io/node: b, k8s.io/az: b}}]
            ---
            type: Dataplane
            name: test-server-5
            mesh: envoyconfig
            networking:
              address: 10.0.0.7
              inbound: [{port: 80, tags: {kuma.io/service: test-server, kuma.io/protocol: http, kuma.io/zone: kuma-5, version: v2, k8s.io/node: b}}]
            ---
            type: Dataplane
            name: greeter
            mesh: envoyconfig
            networking:
              address: 10.0.0.5
              inbound: [{port: 90, tags: {kuma.io/service: greeter, kuma.io/protocol: grpc, kuma.io/zone: kuma-3}}]
            ---
            type: Dataplane
            name: database
            mesh: envoyconfig
            networking:
              address: 10.0.0.6
              inbound: [{port: 5432, tags: {kuma.io/service: database, kuma.io/protocol: tcp, kuma.io/zone: kuma-3}}]
            ---
            apiVersion: kuma.io/v1alpha1
            kind: Dataplane
            mesh: envoyconfig
            metadata: {name: shop-client, namespace: shop}
            spec:
              networking:
                address: 10.0.0.8
                inbound: [{port: 3000, tags: {kuma.io/service: shop-client, kuma.io/protocol: http, kuma.io/zone: kuma-3}}]
            ---
            type: MeshService
            name: test-server
            mesh: envoyconfig
            labels: {kuma.io/zone: kuma-3}
            spec:
              selector: {dataplaneTags: {kuma.io/service: test-server}}
              ports: [{port: 80, targetPort: 80, appProtocol: http}]
            ---
            type: MeshService
            name: greeter
            mesh: envoyconfig
            labels: {team: shop}
            spec:
              selector: {dataplaneTags: {kuma.io/service: greeter}}
              ports: [{port: 90, name: main, targetPort: 90, appProtocol: grpc}]
            ---
            apiVersion: kuma.io/v1alpha1
            kind: MeshService
            mesh: envoyconfig
            metadata: {name: shopped, namespace: shop}
            spec:
              selector: {dataplaneTags: {kuma.io/service: test-server}}
              ports: [{port: 80, name: main, targetPort: 80, appProtocol: http}, {port: 81, name: other, targetPort: 80, appProtocol: http}]
            ---
            type: MeshMultiZoneService
            name: both
            mesh: envoyconfig
            spec:
              selector: {meshService: {matchLabels: {team: shop}}}
              ports: [{port: 90, appProtocol: grpc}]
            ---
            type: MeshExternalService
            name: partner
            mesh: envoyconfig
            spec:
              match: {port: 80, protocol: http}
              endpoints: [{address: partner.example.com, port: 80}]
            ---
            type: MeshHTTPRoute
            name: known
            mesh: envoyconfig
            spec:
              to:
              - targetRef: {kind: MeshService, name: test-server}
                rules: [{matches: [{path: {type: PathPrefix, value: /known}}], default: {backendRefs: [{kind: MeshService, name: greeter, port: 90}]}}]
            ---
            """;

    /** What is there for policies of telemetry to refer to. */
    private static final String COLLECTOR = """
            type: MeshOpenTelemetryBackend
            name: collector
            mesh: envoyconfig
            labels: {kuma.io/display-name: collector}
            spec: {endpoint: {address: otel-collector, port: 4317}}
            ---
            """;

    /** Of collectors: what refers to them. */
    private static final String REFERRING = """
            type: MeshTrace
            name: referring
            mesh: envoyconfig
            spec: {default: {backends: [{type: OpenTelemetry, openTelemetry: {backendRef: {kind: MeshOpenTelemetryBackend, labels: {kuma.io/display-name: collector}}}}]}}
            ---
            """;

    /**
     * Why a field that is taken makes no difference.
     *
     * @param word of its words; empty: all of it
     */
    private record WithoutEffect(String kind, String field, String word, String reason) {}

    private static final List<WithoutEffect> WITHOUT_EFFECT = List.of(
            new WithoutEffect("MeshRetry", "to[].default.tcp.maxConnectAttempt", "", "connections of other protocols than HTTP are opened by the app itself"),
            new WithoutEffect("MeshTimeout", "to[].default.http.requestHeadersTimeout", "",
                    "a request is whole when an agent sees it, and an Envoy's listener is for several services"),
            new WithoutEffect("MeshHTTPRoute", "to[].rules[].default.filters[].requestMirror.backendRef.weight", "", "there is one backend"),
            new WithoutEffect("MeshLoadBalancingStrategy", "to[].default.loadBalancer.random", "", "nothing is in it"),
            new WithoutEffect("MeshLoadBalancingStrategy", "to[].default.loadBalancer.roundRobin", "", "nothing is in it"),
            new WithoutEffect("MeshService", "identities[].type", "", "who its instances are is known from who they are"),
            new WithoutEffect("MeshService", "identities[].value", "", "who its instances are is known from who they are"),
            new WithoutEffect("MeshService", "state", "", "Kuma computes it; here it is known from the instances"),
            new WithoutEffect("MeshMetric", "default.sidecar.includeUnused", "", "an agent publishes all that it counts"),
            new WithoutEffect("MeshMetric", "default.sidecar.profiles.appendProfiles[].name", "All", "an agent publishes all that it counts"),
            new WithoutEffect("MeshMetric", "default.backends[].prometheus.tls.mode", "Disabled", "as it is anyway"),
            new WithoutEffect("MeshOpenTelemetryBackend", "env.mode", "Optional", "as it is anyway"),
            new WithoutEffect("MeshOpenTelemetryBackend", "env.precedence", "EnvFirst", "as it is anyway"),
            new WithoutEffect("MeshIdentity", "provider.bundled.insecureAllowSelfSigned", "", "the root that is made signs itself anyway"),
            new WithoutEffect("MeshIdentity", "provider.bundled.autogenerate.enabled", "false", "as where it is left out"),
            new WithoutEffect("MeshExternalService", "match.type", "HostnameGenerator", "there is no other"),
            new WithoutEffect(TARGET, "targetRef.kind", "Mesh", "as where it is left out"),
            new WithoutEffect("MeshTrust", "origin.kri", "", "Kuma writes down there what made it"));

    /** @param words empty: it has any value */
    private record Field(String kind, String path, List<String> words, String release) {}

    private record Example(String kind, String name, ObjectNode document, List<Problem> problems) {

        boolean refused() {
            return !problems.isEmpty();
        }
    }

    /** A field in an example. */
    private record Place(Example example, List<Object> steps, JsonNode value) {

        String path() {
            StringBuilder path = new StringBuilder("spec");
            steps.forEach(step -> path.append(step instanceof Integer ? "[" + step + "]" : "." + step));
            return path.toString();
        }

        boolean says(String word) {
            return word.isEmpty() || value.asText().equals(word);
        }
    }

    /** What became of a field, or of one of its words. */
    private record Verdict(Set<String> sets, Optional<String> refusal, Optional<String> nothing) {}

    @TempDir
    private static Path state;

    private final Map<String, Map<String, Any>> served = new LinkedHashMap<>();
    private KumaMesh.Keys keys;

    @Test
    void everyFieldIsServedOrRefusedByName() throws IOException {
        keys = new KumaMesh.Keys(state);
        List<Field> fields = fields();
        Map<String, Map<String, Field>> known = new LinkedHashMap<>();
        fields.forEach(field -> known.computeIfAbsent(field.kind(), kind -> new LinkedHashMap<>()).put(field.path(), field));
        Map<Field, List<Place>> places = new LinkedHashMap<>();
        List<String> wrong = new ArrayList<>();
        for (Example example : examples()) {
            if (example.refused() != example.name().startsWith("refused")) {
                wrong.add(example.kind() + " " + example.name() + ": " + example.problems());
            }
            collect(example, example.document().path("spec"), "", List.of(), known, places, wrong);
        }
        Set<Field> golden = golden(known);
        StringBuilder page = new StringBuilder(INTRODUCTION);
        String kind = "";
        List<Row> rows = new ArrayList<>();
        for (Field field : fields) {
            if (!field.kind().equals(kind)) {
                kind = field.kind();
                flush(rows, page);
                page.append("\n## ").append(kind).append("\n\n| field | here |\n|---|---|\n");
            }
            Map<String, List<String>> said = new LinkedHashMap<>();
            for (String word : field.words().isEmpty() ? List.of("") : field.words()) {
                Optional<Verdict> verdict = verdict(field, word, places.getOrDefault(field, List.of()));
                if (verdict.isEmpty()) {
                    wrong.add(field.kind() + " " + field.path() + (word.isEmpty() ? "" : " " + word) + ": "
                            + (places.containsKey(field) ? "is taken, and makes no difference" : "is in no example"));
                } else {
                    said.computeIfAbsent(words(verdict.get()), text -> new ArrayList<>()).add(word);
                }
            }
            rows.add(row(field, said, golden.contains(field)));
        }
        flush(rows, page);
        System.out.println(page);
        assertThat(wrong).isEmpty();
        if (Boolean.getBoolean("weft.it.write-docs")) {
            Files.writeString(PAGE, page);
        }
        assertThat(Files.readString(PAGE)).as("written by -Dweft.it.write-docs=true").isEqualTo(page.toString());
    }

    private static final String INTRODUCTION = """
            # Fields of Kuma's policies

            Each field of the policies that Kuma 2.14.3 and its next release (3.0, as of the commit 348b6528) have, and what becomes of it in the embedded control plane ([policies](policies.md)): which fields of Envoy's
            API it sets, or why it is refused. Written by a test (`KumaFieldsTest`), which changes each field of an example and looks at what is served to agents and Envoys then. `=`: what it sets is held, field by field,
            against what a real kuma-cp served for the same policy (`KumaGoldenTest`). `from`, which 3.0 has no more, is read as `rules` are, and is not listed where it says the same.

            Refused as a whole, with the reason: `MeshProxyPatch`, `MeshZoneAddress`, and whatever is for gateways.
            """;

    private static String words(Verdict verdict) {
        if (verdict.refusal().isPresent()) {
            return "refused: " + verdict.refusal().get();
        }
        if (verdict.nothing().isPresent()) {
            return "no difference: " + verdict.nothing().get();
        }
        return "";
    }

    private record Row(String field, String here) {}

    /** What is refused together is told together. */
    private static void flush(List<Row> rows, StringBuilder page) {
        for (int i = 0; i < rows.size(); i++) {
            Row row = rows.get(i);
            StringBuilder names = new StringBuilder(row.field());
            while (row.here().startsWith("refused") && i + 1 < rows.size() && rows.get(i + 1).here().equals(row.here())) {
                i++;
                names.append("<br>").append(rows.get(i).field());
            }
            page.append("| ").append(names).append(" | ").append(row.here()).append(" |\n");
        }
        rows.clear();
    }

    /** What it sets is told once for all of its words. */
    private Row row(Field field, Map<String, List<String>> said, boolean golden) {
        List<String> cells = new ArrayList<>();
        said.forEach((text, words) -> {
            if (!text.isEmpty()) {
                boolean all = said.size() == 1;
                cells.add((all ? "" : words.stream().map(word -> "`" + word + "`").collect(Collectors.joining(", ")) + ": ")
                        + text.replace("|", "\\|"));
            }
        });
        Set<String> sets = effects.getOrDefault(field, Set.of());
        if (sets.isEmpty() && cells.isEmpty()) {
            cells.add("says which of the others count");
        }
        if (!sets.isEmpty()) {
            cells.add(0, sets.stream().limit(3).map(each -> "`" + each + "`").collect(Collectors.joining(", "))
                    + (sets.size() > 3 ? " …" : ""));
        }
        String release = field.release().isEmpty() ? "" : " (" + field.release().replace("<", "before ").replace(">=", "from ") + ")";
        return new Row("`" + field.path() + "`" + release, (golden ? "= " : "") + String.join("; ", cells));
    }

    private final Map<Field, Set<String>> effects = new LinkedHashMap<>();

    private Optional<Verdict> verdict(Field field, String word, List<Place> places) throws IOException {
        for (Place place : places) {
            if (!place.example().refused() && place.says(word)) {
                Optional<Set<String>> all = changed(place, field.words());
                // What could not be another word is what makes the rest valid.
                if (all.isEmpty() && !word.isEmpty()) {
                    return Optional.of(new Verdict(Set.of(), Optional.empty(), Optional.empty()));
                }
                Set<String> changed = all.orElse(Set.of());
                if (!changed.isEmpty()) {
                    effects.putIfAbsent(field, changed);
                    return Optional.of(new Verdict(changed, Optional.empty(), Optional.empty()));
                }
            }
        }
        for (Place place : places) {
            if (place.says(word)) {
                for (Problem problem : place.example().problems()) {
                    if (covers(problem.field(), place.path())) {
                        return Optional.of(new Verdict(Set.of(), Optional.of(problem.message()), Optional.empty()));
                    }
                }
            }
        }
        boolean taken = places.stream().anyMatch(place -> !place.example().refused() && place.says(word));
        return WITHOUT_EFFECT.stream()
                .filter(each -> taken && each.kind().equals(field.kind()) && each.field().equals(field.path()) && (each.word().isEmpty() || each.word().equals(word)))
                .map(each -> new Verdict(Set.of(), Optional.empty(), Optional.of(each.reason())))
                .findFirst();
    }

    /** It is about the field, about what it is a part of, or about the word that says that its section counts. */
    private static boolean covers(String problem, String field) {
        boolean about = field.equals(problem) || field.startsWith(problem + ".") || field.startsWith(problem + "[");
        return about || problem.endsWith(".type") && field.startsWith(problem.substring(0, problem.length() - "type".length()));
    }

    /** Which fields of what is served are other ones when this one is; absent: it could not be. */
    private Optional<Set<String>> changed(Place place, List<String> words) throws IOException {
        boolean valid = false;
        Map<String, Any> before = served(place.example().document());
        for (JsonNode other : others(place.value(), words)) {
            ObjectNode document = place.example().document().deepCopy();
            set(document.path("spec"), place.steps(), other);
            if (!parsed(document).problems().isEmpty()) {
                continue;
            }
            valid = true;
            Map<String, Any> after = served(document);
            if (!after.equals(before)) {
                return Optional.of(Effects.between(before, after));
            }
        }
        int entry = place.steps().size() - 1;
        while (entry >= 0 && !(place.steps().get(entry) instanceof Integer)) {
            entry--;
        }
        if (valid && !words.isEmpty() && entry >= 0) {
            // Two words may say the same, and what goes with one not go with another: then it is the entry with it that counts.
            ObjectNode document = place.example().document().deepCopy();
            set(document.path("spec"), place.steps().subList(0, entry + 1), null);
            if (parsed(document).problems().isEmpty()) {
                return Optional.of(Effects.between(before, served(document)));
            }
        }
        return valid ? Optional.of(Set.of()) : Optional.empty();
    }

    /** Values that it might have as well, of which some will be in order; null: it is left out. */
    private static List<JsonNode> others(JsonNode value, List<String> words) {
        List<JsonNode> others = new ArrayList<>();
        if (value.isBoolean()) {
            others.add(BooleanNode.valueOf(!value.booleanValue()));
        } else if (value.isInt()) {
            Stream.of(value.intValue() + 1, value.intValue() - 1, value.intValue() * 2).map(IntNode::valueOf).forEach(others::add);
            words.forEach(word -> others.add(IntNode.valueOf(Integer.parseInt(word))));
        } else if (value.isTextual()) {
            String text = value.textValue();
            if (text.startsWith("-----BEGIN")) {
                others.add(TextNode.valueOf(ANOTHER));
            } else if (text.startsWith("LS0tLS1CRUdJTi")) {
                others.add(TextNode.valueOf(encoded(ANOTHER)));
            }
            words.stream().filter(word -> !word.equals(text)).map(TextNode::valueOf).forEach(others::add);
            if (words.isEmpty()) {
                Stream.of("77s", "77ms", "7", "13Mbps", text + "x", text + "/x", text + ".x", text + "1", "10.7.7.7").map(TextNode::valueOf).forEach(others::add);
            }
        } else if (value.isObject()) {
            value.fieldNames().forEachRemaining(name -> others.add(((ObjectNode) value.deepCopy()).put(name, value.path(name).asText() + "x")));
            others.add(JSON.createObjectNode().put("other", "x"));
        }
        others.add(null);
        return others;
    }

    private static void set(JsonNode node, List<Object> steps, JsonNode value) {
        JsonNode parent = node;
        for (Object step : steps.subList(0, steps.size() - 1)) {
            parent = step instanceof Integer index ? parent.path(index) : parent.path((String) step);
        }
        Object last = steps.get(steps.size() - 1);
        if (parent instanceof ArrayNode array) {
            if (value == null) {
                array.remove((Integer) last);
            } else {
                array.set((Integer) last, value);
            }
        } else if (value == null) {
            ((ObjectNode) parent).remove((String) last);
        } else {
            ((ObjectNode) parent).set((String) last, value);
        }
    }

    private static Document parsed(ObjectNode document) {
        return new ResourceParser().parseFile("fields.yaml", document.toString()).get(0);
    }

    /** By what it is of whom. */
    private Map<String, Any> served(ObjectNode document) {
        return served.computeIfAbsent(document.toString(), text -> {
            String kind = document.path("type").asText();
            Map<String, Any> all = new TreeMap<>();
            String around = MESH + (kind.equals("MeshOpenTelemetryBackend") ? REFERRING : COLLECTOR);
            KumaMesh mesh = KumaMesh.of(around + text, keys, failure ->
                    all.put("failure", Any.newBuilder().setTypeUrl(failure).build()));
            for (String dataplane : new String[] {"demo-client", "test-server", "shop-client"}) {
                for (ClientNode.Kind each : ClientNode.Kind.values()) {
                    NodeConfig config = mesh.config(dataplane, each);
                    for (ResourceType type : ResourceType.values()) {
                        config.of(type).forEach(resource ->
                                all.put(dataplane + " " + each + " " + type + " " + resource.name(), resource.message()));
                    }
                }
            }
            return all;
        });
    }

    private static void collect(
            Example example,
            JsonNode node,
            String path,
            List<Object> steps,
            Map<String, Map<String, Field>> known,
            Map<Field, List<Place>> places,
            List<String> wrong) {
        Field field = known.get(example.kind()).getOrDefault(path, known.get(TARGET).get(path));
        if (field != null) {
            places.computeIfAbsent(field, key -> new ArrayList<>()).add(new Place(example, steps, node));
        } else if (node.isObject()) {
            node.fields().forEachRemaining(child -> collect(example, child.getValue(),
                    path.isEmpty() ? child.getKey() : path + "." + child.getKey(), plus(steps, child.getKey()), known, places, wrong));
        } else if (node.isArray()) {
            for (int i = 0; i < node.size(); i++) {
                collect(example, node.get(i), path + "[]", plus(steps, i), known, places, wrong);
            }
        } else if (!path.startsWith("from[].default.http")) {
            wrong.add(example.kind() + " " + example.name() + ": " + path + " is no field of Kuma's");
        }
    }

    private static List<Object> plus(List<Object> steps, Object step) {
        return Stream.concat(steps.stream(), Stream.of(step)).toList();
    }

    private static List<Field> fields() throws IOException {
        return text("kuma/fields.txt").lines()
                .filter(line -> !line.startsWith("#"))
                .map(line -> {
                    String[] parts = line.split(" ");
                    List<String> words = Stream.of(parts).skip(2).filter(part -> part.startsWith("=")).findFirst()
                            .map(part -> List.of(part.substring(1).split("\\|")))
                            .orElse(List.of());
                    String release = Stream.of(parts).skip(2).filter(part -> part.matches("[<>].*")).findFirst().orElse("");
                    return new Field(parts[0], parts[1], words, release);
                })
                .toList();
    }

    private static List<Example> examples() throws IOException {
        Root root = RootSet.first("other", Instant.now()).signing();
        Path certificate = Files.writeString(state.resolve("ca.crt"), Pem.of(root.chain()));
        Path key = Files.writeString(state.resolve("ca.key"), Pem.of(root.key()));
        String pem = Pem.of(root.chain());
        String text = text("kuma/fields.yaml")
                .replace("${pem}", pem.replace("\n", "\\n"))
                .replace("${pem64}", encoded(pem))
                .replace("${ca.crt}", certificate.toString())
                .replace("${ca.key}", key.toString());
        List<Example> examples = new ArrayList<>();
        for (String document : text.split("\n---\n")) {
            ObjectNode json = (ObjectNode) new YAMLMapper().readTree(document);
            json.put("mesh", KumaMesh.NAME);
            json.putObject("labels").put("kuma.io/display-name", json.path("name").asText()).put("kuma.io/zone", "kuma-3");
            examples.add(new Example(json.path("type").asText(), json.path("name").asText(), json, parsed(json).problems()));
        }
        return examples;
    }

    private static String encoded(String pem) {
        return Base64.getEncoder().encodeToString(pem.getBytes(StandardCharsets.UTF_8));
    }

    /** Those that are held against what a real control plane made of them. */
    private static Set<Field> golden(Map<String, Map<String, Field>> known) throws IOException {
        Map<Field, List<Place>> places = new LinkedHashMap<>();
        for (String name : KumaGoldenTest.POLICIES) {
            for (String document : text("kuma/" + name + ".yaml").split("(?m)^---$")) {
                JsonNode json = new YAMLMapper().readTree(document);
                collect(new Example(json.path("type").asText(), name, (ObjectNode) json, List.of()), json.path("spec"), "", List.of(), known, places,
                        new ArrayList<>());
            }
        }
        return places.keySet();
    }

    private static String text(String resource) throws IOException {
        try (InputStream in = KumaFieldsTest.class.getClassLoader().getResourceAsStream(resource)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** Fields of Envoy's API, under the name of the message that they are in. */
    private static final class Effects {

        private Effects() {}

        static Set<String> between(Map<String, Any> before, Map<String, Any> after) throws IOException {
            Set<String> names = new TreeSet<>(before.keySet());
            names.addAll(after.keySet());
            Set<String> changed = new LinkedHashSet<>();
            for (String name : names) {
                Any old = before.get(name);
                Any now = after.get(name);
                if (name.equals("failure") || old == null || now == null) {
                    changed.add(type(name));
                } else if (!old.equals(now)) {
                    Map<String, String> was = leaves(old);
                    Map<String, String> is = leaves(now);
                    Set<String> paths = new LinkedHashSet<>(was.keySet());
                    paths.addAll(is.keySet());
                    paths.stream().filter(path -> !String.valueOf(was.get(path)).equals(is.get(path)))
                            .map(path -> path.replaceAll("\\[\\d+]", ""))
                            .forEach(changed::add);
                }
            }
            return changed;
        }

        private static String type(String name) {
            return name.equals("failure") ? "the authority" : "a " + name.split(" ")[2].toLowerCase(java.util.Locale.ROOT).replace('_', ' ');
        }

        private static Map<String, String> leaves(Any message) throws IOException {
            Map<String, String> leaves = new LinkedHashMap<>();
            collect("", "", KumaMesh.json(message), leaves);
            return leaves;
        }

        private static void collect(String type, String path, JsonNode node, Map<String, String> leaves) {
            if (node.isObject() && !node.isEmpty()) {
                String name = node.path("@type").asText("");
                String of = name.isEmpty() ? type : name.substring(name.lastIndexOf('.') + 1);
                String within = name.isEmpty() ? path : "";
                node.fields().forEachRemaining(field -> {
                    if (!field.getKey().equals("@type")) {
                        collect(of, within.isEmpty() ? field.getKey() : within + "." + field.getKey(), field.getValue(), leaves);
                    }
                });
            } else if (node.isArray() && !node.isEmpty()) {
                for (int i = 0; i < node.size(); i++) {
                    collect(type, path + "[" + i + "]", node.get(i), leaves);
                }
            } else {
                // Several filters of one kind are told apart by nothing but their order.
                leaves.merge(shown(type, path), node.asText(), (first, second) -> first + ", " + second);
            }
        }

        private static String shown(String type, String path) {
            String hosts = "virtualHosts[";
            int routes = path.indexOf("].routes[");
            if (path.startsWith(hosts) && routes > 0) {
                // The number keeps paths of different routes apart.
                return "Route" + path.substring(path.indexOf('[', routes + 2), path.indexOf(']', routes + 2) + 1) + path.substring(path.indexOf('.', routes + 2));
            }
            return type + "." + path;
        }
    }
}
