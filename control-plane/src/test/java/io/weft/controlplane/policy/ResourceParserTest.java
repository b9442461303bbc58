package io.weft.controlplane.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.controlplane.policy.MeshHttpRoute.Filter;
import io.weft.controlplane.policy.MeshHttpRoute.HeaderMatch;
import io.weft.controlplane.policy.MeshHttpRoute.Match;
import io.weft.controlplane.policy.MeshHttpRoute.Path;
import io.weft.controlplane.policy.MeshHttpRoute.QueryMatch;
import io.weft.controlplane.policy.MeshHttpRoute.Rule;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ResourceParserTest {

    private final ResourceParser parser = new ResourceParser();

    private List<Document> parse(String text) {
        return parser.parseFile("p.yaml", text);
    }

    private <T extends Resource> T only(Class<T> type, String text) {
        List<Document> documents = parse(text);
        assertThat(documents).hasSize(1);
        assertThat(documents.get(0).problems()).isEmpty();
        return type.cast(documents.get(0).resource().orElseThrow());
    }

    private static String route(String rules) {
        return """
                type: MeshHTTPRoute
                name: r
                mesh: default
                spec:
                  targetRef: {kind: Mesh}
                  to:
                  - targetRef: {kind: MeshService, name: orders}
                    rules:
                """ + rules.indent(4);
    }

    private Rule rule(String text) {
        return only(MeshHttpRoute.class, route(text)).to().get(0).rules().get(0);
    }

    private Match match(String text) {
        return rule("- matches: [" + text + "]\n  default: {}\n").matches().get(0);
    }

    private Filter filter(String text) {
        return rule("- matches: [{path: {type: PathPrefix, value: /x}}]\n  default:\n    filters:\n" + text.indent(4))
                .filters().orElseThrow().get(0);
    }

    @Test
    void bothFormsMeanTheSame() {
        String spec = """
                spec:
                  to:
                  - targetRef: {kind: MeshService, name: orders}
                    rules:
                    - matches: [{path: {type: Exact, value: /a}}]
                      default: {backendRefs: [{kind: MeshService, name: other, port: 80, weight: 3}]}
                """;
        MeshHttpRoute universal = only(MeshHttpRoute.class,
                "type: MeshHTTPRoute\nname: a\nmesh: m\nlabels: {team: x}\n"
                        // A name without a namespace is of the policy's own.
                        + spec.replace("MeshService, name", "MeshService, namespace: shop, name"));
        MeshHttpRoute kubernetes = only(MeshHttpRoute.class,
                "apiVersion: kuma.io/v1alpha1\nkind: MeshHTTPRoute\n"
                        + "metadata: {name: a, namespace: shop, labels: {team: x, kuma.io/mesh: m}}\n" + spec);

        assertThat(kubernetes.to()).isEqualTo(universal.to());
        assertThat(kubernetes.target()).isEqualTo(universal.target());
        assertThat(universal.metadata().id()).isEqualTo(new ResourceId("MeshHTTPRoute", "m", "a"));
        assertThat(kubernetes.metadata().id()).isEqualTo(new ResourceId("MeshHTTPRoute", "m", "a.shop"));
        assertThat(kubernetes.metadata().displayName()).isEqualTo("a");
        assertThat(kubernetes.metadata().label("k8s.kuma.io/namespace")).isEqualTo("shop");
    }

    @Test
    void severalDocumentsAreReadAndEachErrorCostsOnlyItsOwn() {
        List<Document> documents = parse("""
                # a comment
                type: Mesh
                name: default
                ---
                type: Mesh
                name: [broken
                ---
                type: Mesh
                name: third
                ...
                """);
        assertThat(documents).extracting(document -> document.resource().isPresent())
                .containsExactly(true, false, true);
        assertThat(documents).extracting(Document::line).containsExactly(2, 4, 8);
        assertThat(documents.get(1).problems()).singleElement().satisfies(problem -> {
            assertThat(problem.line()).isBetween(6, 7);
            assertThat(problem.message()).startsWith("is not valid YAML: ");
        });
    }

    @Test
    void aProblemDoesNotQuoteAWholeFile() {
        assertThat(parse("a".repeat(1_000_000)).get(0).problems()).singleElement()
                .satisfies(problem -> assertThat(problem.message()).hasSize(500).endsWith("…"));
    }

    @Test
    void everyMatch() {
        assertThat(match("{path: {type: Exact, value: /a}}").path()).contains(new Path(Path.Kind.EXACT, "/a"));
        assertThat(match("{path: {type: PathPrefix, value: /a}}").path()).contains(new Path(Path.Kind.PREFIX, "/a"));
        assertThat(match("{path: {type: RegularExpression, value: '/a+'}}").path())
                .contains(new Path(Path.Kind.REGEX, "/a+"));
        assertThat(match("{method: POST}").method()).contains("POST");
        assertThat(match("""
                {headers: [{name: a, value: "1"}, {type: Prefix, name: b, value: x}, {type: Present, name: c},
                {type: Absent, name: d}, {type: RegularExpression, name: e, value: y}]}""").headers())
                .containsExactly(
                        new HeaderMatch(HeaderMatch.Kind.EXACT, "a", "1"),
                        new HeaderMatch(HeaderMatch.Kind.PREFIX, "b", "x"),
                        new HeaderMatch(HeaderMatch.Kind.PRESENT, "c", ""),
                        new HeaderMatch(HeaderMatch.Kind.ABSENT, "d", ""),
                        new HeaderMatch(HeaderMatch.Kind.REGEX, "e", "y"));
        assertThat(match("{queryParams: [{type: Exact, name: q, value: v},"
                + " {type: RegularExpression, name: r, value: v}]}").query())
                .containsExactly(
                        new QueryMatch(QueryMatch.Kind.EXACT, "q", "v"),
                        new QueryMatch(QueryMatch.Kind.REGEX, "r", "v"));
    }

    @Test
    void everyFilter() {
        var changes = new MeshHttpRoute.HeaderChanges(
                List.of(new MeshHttpRoute.Header("a", "1")), List.of(new MeshHttpRoute.Header("b", "2")), List.of("c"));
        String modifier = "{set: [{name: a, value: '1'}], add: [{name: b, value: '2'}], remove: [c]}";
        assertThat(filter("- {type: RequestHeaderModifier, requestHeaderModifier: " + modifier + "}"))
                .isEqualTo(new MeshHttpRoute.RequestHeaders(changes));
        assertThat(filter("- {type: ResponseHeaderModifier, responseHeaderModifier: " + modifier + "}"))
                .isEqualTo(new MeshHttpRoute.ResponseHeaders(changes));
        assertThat(filter("""
                - type: RequestRedirect
                  requestRedirect:
                    scheme: https
                    hostname: a.example
                    port: 8443
                    statusCode: 308
                    path: {type: ReplaceFullPath, replaceFullPath: /b}
                """)).isEqualTo(new MeshHttpRoute.Redirect(
                        Optional.of("https"), Optional.of("a.example"), OptionalInt.of(8443),
                        Optional.of(new MeshHttpRoute.ReplaceFullPath("/b")), 308));
        assertThat(filter("- {type: RequestRedirect, requestRedirect: {}}")).isEqualTo(new MeshHttpRoute.Redirect(
                Optional.empty(), Optional.empty(), OptionalInt.empty(), Optional.empty(), 302));
        assertThat(filter("""
                - type: URLRewrite
                  urlRewrite: {hostname: b.example, path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}
                """)).isEqualTo(new MeshHttpRoute.Rewrite(
                        Optional.of("b.example"), Optional.of(new MeshHttpRoute.ReplacePrefix("/"))));
        for (Map.Entry<String, Integer> percentage :
                Map.of("10", 100_000, "\"0.5\"", 5_000, "2.5", 25_000, "\"100\"", 1_000_000).entrySet()) {
            assertThat(((MeshHttpRoute.Mirror) filter("- {type: RequestMirror, requestMirror: {percentage: "
                    + percentage.getKey() + ", backendRef: {kind: MeshService, name: s}}}")).millionths())
                    .isEqualTo(percentage.getValue());
        }
    }

    @Test
    void backendsWithAllTheyMayCarry() {
        List<MeshHttpRoute.BackendRef> refs = rule("""
                - matches: [{method: GET}]
                  default:
                    backendRefs:
                    - {kind: MeshService, name: a}
                    - {kind: MeshServiceSubset, name: a, tags: {version: v1}, weight: 0}
                    - {kind: MeshService, labels: {kuma.io/display-name: b}, sectionName: main, weight: 1000000}
                    - {kind: MeshService, labels: {team: c}, port: 8080}
                """).backends().orElseThrow();
        assertThat(refs).extracting(MeshHttpRoute.BackendRef::name)
                .containsExactly(Optional.of("a"), Optional.of("a"), Optional.of("b"), Optional.empty());
        assertThat(refs).extracting(MeshHttpRoute.BackendRef::weight).containsExactly(1L, 0L, 1_000_000L, 1L);
        assertThat(refs.get(1).tags()).isEqualTo(Map.of("version", "v1"));
        assertThat(refs.get(2).section()).contains("main");
        assertThat(refs.get(3).labels()).isEqualTo(Map.of("team", "c"));
        assertThat(refs.get(3).port()).hasValue(8080);
    }

    @Test
    void everyTargetRef() {
        assertThat(target("{kind: Mesh}")).isEqualTo(new TargetRef.WholeMesh(true));
        assertThat(target("{kind: Mesh, proxyTypes: [Gateway]}")).isEqualTo(new TargetRef.WholeMesh(false));
        assertThat(target("{kind: Dataplane, labels: {app: a}}"))
                .isEqualTo(new TargetRef.Dataplanes(Optional.empty(), "", Map.of("app", "a")));
        assertThat(target("{kind: Dataplane, name: a, namespace: n}"))
                .isEqualTo(new TargetRef.Dataplanes(Optional.of("a"), "n", Map.of()));
        assertThat(target("{kind: MeshSubset, tags: {team: a}}"))
                .isEqualTo(new TargetRef.Subset(Map.of("team", "a"), true));
        assertThat(target("{kind: MeshService, name: a}")).isEqualTo(new TargetRef.OfService("a"));
        assertThat(target("{kind: MeshServiceSubset, name: a, tags: {v: '1'}}"))
                .isEqualTo(new TargetRef.ServiceSubset("a", Map.of("v", "1")));
    }

    private TargetRef target(String text) {
        return only(MeshHttpRoute.class, "type: MeshHTTPRoute\nname: r\nspec: {targetRef: " + text + ", to: []}\n").target();
    }

    /** The policy's own namespace where the reference does not say. */
    @Test
    void aDataplaneIsNamedWithinANamespace() {
        Metadata pod = new Metadata(new ResourceId("Dataplane", "default", "a.n"), "a", "n", Map.of());
        Metadata sent = new Metadata(new ResourceId("Dataplane", "default", "a.n"), "a.n", "", Map.of());
        Metadata outside = new Metadata(new ResourceId("Dataplane", "default", "a"), "a", "", Map.of());
        String inNamespace = "apiVersion: kuma.io/v1alpha1\nkind: MeshHTTPRoute\nmetadata: {name: r, namespace: %s}\n"
                + "spec: {targetRef: {kind: Dataplane, name: a}, to: []}\n";
        for (TargetRef target : List.of(
                target("{kind: Dataplane, name: a, namespace: n}"), only(MeshHttpRoute.class, inNamespace.formatted("n")).target())) {
            assertThat(target.selects(pod, List.of())).isTrue();
            assertThat(target.selects(sent, List.of())).isTrue();
            assertThat(target.selects(outside, List.of())).isTrue();
        }
        assertThat(only(MeshHttpRoute.class, inNamespace.formatted("other")).target().selects(pod, List.of())).isFalse();
        assertThat(target("{kind: Dataplane, name: b, namespace: n}").selects(pod, List.of())).isFalse();
        assertThat(target("{kind: Dataplane, name: a}").selects(pod, List.of())).isTrue();
    }

    @Test
    void aDataplaneInBothForms() {
        String networking = """
                networking:
                  address: 10.0.0.7
                  inbound:
                  - port: 8080
                    servicePort: 18080
                    name: main
                    tags: {kuma.io/service: web, kuma.io/protocol: grpc}
                  - port: 8081
                    address: "fd00::1"
                    state: NotReady
                    tags: {kuma.io/service: web}
                  - port: 8082
                    state: Ignored
                    tags: {kuma.io/service: web}
                probes:
                  port: 9000
                  endpoints:
                  - {inboundPort: 8080, inboundPath: /ready, path: /8080/ready}
                  - {inboundPort: 8080, inboundPath: /live}
                """;
        Dataplane universal = only(Dataplane.class,
                "type: Dataplane\nmesh: default\nname: web-1\nlabels: {zone: a}\n" + networking);
        Dataplane kubernetes = only(Dataplane.class,
                "apiVersion: kuma.io/v1alpha1\nkind: Dataplane\nmesh: default\n"
                        + "metadata: {name: web-1, labels: {zone: a}}\nspec:\n" + networking.indent(2));
        assertThat(kubernetes).isEqualTo(universal);
        assertThat(universal.inbounds()).containsExactly(
                new Dataplane.Inbound(8080, "10.0.0.7", Optional.of("main"), 18080, "127.0.0.1", true,
                        Map.of("kuma.io/service", "web", "kuma.io/protocol", "grpc", "zone", "a"),
                        Optional.of(Protocol.GRPC), Set.of("/live", "/ready")),
                new Dataplane.Inbound(8081, "fd00::1", Optional.empty(), 8081, "127.0.0.1", false,
                        Map.of("kuma.io/service", "web", "zone", "a"), Optional.empty(), Set.of()));
    }

    @Test
    void aMeshServiceWithEverySelector() {
        String form = "type: MeshService\nname: web\nspec:\n  selector: {%s}\n  ports:\n"
                + "  - {name: main, port: 80, targetPort: 8080, appProtocol: http2}\n  - {port: 81, targetPort: admin}\n";
        MeshService byTags = only(MeshService.class, form.formatted("dataplaneTags: {kuma.io/service: web}"));
        assertThat(byTags.selector()).isEqualTo(new MeshService.ByTags(Map.of("kuma.io/service", "web")));
        assertThat(byTags.ports()).containsExactly(
                new MeshService.Port(80, Optional.of("main"), Optional.of(new MeshService.TargetNumber(8080)),
                        Protocol.HTTP2),
                new MeshService.Port(81, Optional.empty(), Optional.of(new MeshService.TargetName("admin")),
                        Protocol.HTTP));
        assertThat(only(MeshService.class, form.formatted("dataplaneLabels: {matchLabels: {app: web}}")).selector())
                .isEqualTo(new MeshService.ByLabels(Map.of("app", "web")));
        assertThat(only(MeshService.class, form.formatted("dataplaneRef: {name: web-1}")).selector())
                .isEqualTo(new MeshService.ByName("web-1"));
    }

    @Test
    void whatADataPlaneSendsMayHoldFieldsOfALaterVersion() {
        String text = "{\"type\":\"Dataplane\",\"mesh\":\"default\",\"name\":\"a\",\"later\":1,\"networking\":"
                + "{\"address\":\"127.0.0.1\",\"new\":true,\"inbound\":[]}}";
        assertThat(parser.parseSent("node", text).problems()).isEmpty();
        assertThat(parse(text).get(0).problems()).extracting(Problem::field).containsExactly("networking.new", "later");
    }

    static Stream<Arguments> bad() {
        return Stream.of(
                bad("kind of a policy to come", "type: MeshOPA\nname: a\nspec: {}", 1, "type", "MeshTrafficPermission says who may call"),
                bad("unknown type", "type: MeshHttpRoute\nname: a\nspec: {}", 1, "type", "Did you mean MeshHTTPRoute?"),
                bad("misspelt kind", "apiVersion: kuma.io/v1alpha1\nkind: MeshHTTPRuote\nmetadata: {name: a}\nspec: {}", 2, "kind",
                        "Did you mean MeshHTTPRoute?"),
                bad("misspelt kind of a target", "type: MeshTimeout\nname: a\nspec:\n  to: [{targetRef: {kind: Meshservice, name: a}, default: {}}]",
                        4, "spec.to[0].targetRef.kind", "Did you mean MeshService?"),
                bad("a list that does not end", "type: Mesh\nname: [broken\nmesh: a", 3, "",
                        "at column 5: expected ',' or ']', but got : while parsing a flow sequence that begins at line 2, column 7"),
                bad("a mapping as a key", "{{a: b}: c}", 1, "", "put text with { or [ in quotes"),
                bad("a tab", "type: Mesh\nspec:\n\ta: b", 3, "", "indent by blanks, not by tabs"),
                bad("a colon too many", "type: Mesh\nname: a: b", 2, "", "at column 8: mapping values are not allowed here; a text with a colon"),
                bad("no type", "name: a", 1, "type", "is missing"),
                bad("another API", "apiVersion: v1\nkind: Service\nmetadata: {name: a}", 1, "apiVersion", "must be"),
                bad("no mapping", "- a\n- b", 1, "", "needs a mapping"),
                bad("no name", "type: MeshHTTPRoute\nspec: {to: []}", 1, "name", "is missing"),
                bad("no spec", "type: MeshHTTPRoute\nname: a", 1, "spec", "is missing"),
                bad("mTLS", "type: Mesh\nname: a\nmtls: {enabledBackend: ca}", 3, "mtls.enabledBackend", "names no backend"),
                bad("key twice", "type: Mesh\nname: a\nname: b", 3, "", "occurs twice"),
                bad("alias", "type: Mesh\nlabels: &l {a: b}\nname: *l", 3, "", "aliases are not supported"),
                bad("number for a text", "type: Mesh\nname: a\nlabels: {version: 1}", 3, "labels.version",
                        "put it in quotes"),
                badRoute("misspelt field", "- matchs: []\n  default: {}", 9, "spec.to[0].rules[0].matchs",
                        "Did you mean matches?"),
                badRoute("no match", "- matches: []\n  default: {}", 9, "spec.to[0].rules[0].matches", "at least one"),
                badRoute("relative path", "- matches: [{path: {type: Exact, value: a}}]\n  default: {}", 9,
                        "spec.to[0].rules[0].matches[0].path.value", "absolute"),
                badRoute("prefix with a slash", "- matches: [{path: {type: PathPrefix, value: /a/}}]\n  default: {}", 9,
                        "spec.to[0].rules[0].matches[0].path.value", "no slash at the end"),
                badRoute("path type", "- matches: [{path: {type: Prefix, value: /a}}]\n  default: {}", 9,
                        "spec.to[0].rules[0].matches[0].path.type", "must be one of Exact, PathPrefix"),
                badRoute("regex", "- matches: [{path: {type: RegularExpression, value: '/(?=a)'}}]\n  default: {}", 9,
                        "spec.to[0].rules[0].matches[0].path.value", "RE2"),
                badRoute("method", "- matches: [{method: get}]\n  default: {}", 9,
                        "spec.to[0].rules[0].matches[0].method", "must be one of GET"),
                badRoute("upper case header", "- matches: [{headers: [{name: X-A, value: b}]}]\n  default: {}", 9,
                        "spec.to[0].rules[0].matches[0].headers[0].name", "lower case"),
                // To Kuma too it is a truth value.
                badRoute("yes without quotes", "- matches: [{headers: [{name: a, value: yes}]}]\n  default: {}", 9,
                        "spec.to[0].rules[0].matches[0].headers[0].value", "put it in quotes"),
                badRoute("value with Present",
                        "- matches: [{headers: [{type: Present, name: a, value: b}]}]\n  default: {}", 9,
                        "spec.to[0].rules[0].matches[0].headers[0].value", "no meaning"),
                badRoute("parameter twice", """
                        - matches:
                          - queryParams:
                            - {type: Exact, name: a, value: b}
                            - {type: Exact, name: a, value: c}
                          default: {}""", 12,
                        "spec.to[0].rules[0].matches[0].queryParams[1]", "occurs twice"),
                badDefault("weight", "{backendRefs: [{kind: MeshService, name: a, weight: -1}]}",
                        "backendRefs[0].weight", "from 0 to 1000000"),
                badDefault("weight as text", "{backendRefs: [{kind: MeshService, name: a, weight: '5'}]}",
                        "backendRefs[0].weight", "needs a whole number"),
                badDefault("kind of backend", "{backendRefs: [{kind: MeshHTTPRoute, name: a}]}",
                        "backendRefs[0].kind", "must be one of"),
                badDefault("backend without a name", "{backendRefs: [{kind: MeshService}]}",
                        "backendRefs[0].name", "is missing"),
                badDefault("tags without subset", "{backendRefs: [{kind: MeshService, name: a, tags: {v: a}}]}",
                        "backendRefs[0].tags", "use kind MeshServiceSubset"),
                badDefault("filter type", "{filters: [{type: Redirect}]}", "filters[0].type", "must be one of"),
                badDefault("filter without its part", "{filters: [{type: URLRewrite}]}",
                        "filters[0].urlRewrite", "is missing"),
                badDefault("part of another filter", "{filters: [{type: URLRewrite, urlRewrite: {hostname: a},"
                        + " requestMirror: {}}]}", "filters[0].requestMirror", "is not a field here"),
                badDefault("empty modifier",
                        "{filters: [{type: RequestHeaderModifier, requestHeaderModifier: {}}]}",
                        "filters[0].requestHeaderModifier", "at least one of set, add and remove"),
                badDefault("header twice", "{filters: [{type: RequestHeaderModifier, requestHeaderModifier:"
                        + " {set: [{name: a, value: b}], remove: [a]}}]}",
                        "filters[0].requestHeaderModifier.remove[0]", "occurs twice"),
                badDefault("host as a header", "{filters: [{type: RequestHeaderModifier, requestHeaderModifier:"
                        + " {set: [{name: host, value: b}]}}]}",
                        "filters[0].requestHeaderModifier.set[0].name", "use the filter URLRewrite"),
                badDefault("header value over lines", "{filters: [{type: RequestHeaderModifier, requestHeaderModifier:"
                        + " {set: [{name: a, value: \"b\\nc\"}]}}]}",
                        "filters[0].requestHeaderModifier.set[0].value", "without line breaks"),
                badDefault("status of a redirect", "{filters: [{type: RequestRedirect, requestRedirect:"
                        + " {statusCode: 304}}]}", "filters[0].requestRedirect.statusCode", "301, 302"),
                badDefault("host with a port", "{filters: [{type: URLRewrite, urlRewrite: {hostname: 'a:80'}}]}",
                        "filters[0].urlRewrite.hostname", "without a port"),
                badDefault("prefix rewrite without prefix", "{filters: [{type: URLRewrite, urlRewrite: {path:"
                        + " {type: ReplacePrefixMatch, replacePrefixMatch: /}}}]}",
                        "filters[0].urlRewrite.path.replacePrefixMatch", "PathPrefix"),
                badDefault("redirect and rewrite", "{filters: [{type: RequestRedirect, requestRedirect: {}},"
                        + " {type: URLRewrite, urlRewrite: {hostname: a}}]}", "filters[0]", "remove one or the other"),
                badDefault("percentage", "{filters: [{type: RequestMirror, requestMirror: {percentage: 101,"
                        + " backendRef: {kind: MeshService, name: a}}}]}",
                        "filters[0].requestMirror.percentage", "from 0 to 100"),
                bad("target kind", "type: MeshHTTPRoute\nname: a\nspec:\n  targetRef: {kind: MeshGateway}\n  to: []", 4,
                        "spec.targetRef.kind", "gateways are not served"),
                bad("destination kind", "type: MeshHTTPRoute\nname: a\nspec:\n  to:\n  - targetRef: {kind: Mesh}\n"
                        + "    rules: []", 5, "spec.to[0].targetRef.kind", "must be one of MeshService"),
                bad("host name as address", "type: Dataplane\nname: a\nnetworking:\n  address: a.example\n  inbound: []", 4,
                        "networking.address", "must be an IP address"),
                bad("no service", "type: Dataplane\nname: a\nnetworking:\n  address: 10.0.0.1\n  inbound:\n  - port: 80", 6,
                        "networking.inbound[0].tags", "kuma.io/service"),
                bad("wildcard service", "type: Dataplane\nname: a\nnetworking:\n  address: 10.0.0.1\n  inbound:\n"
                        + "  - port: 80\n    tags: {kuma.io/service: '*'}", 7,
                        "networking.inbound[0].tags", "must be a name"),
                bad("port", "type: Dataplane\nname: a\nnetworking:\n  address: 10.0.0.1\n  inbound:\n"
                        + "  - port: 70000\n    tags: {kuma.io/service: a}", 6,
                        "networking.inbound[0].port", "from 1 to 65535"),
                bad("gateway", "type: Dataplane\nname: a\nnetworking:\n  address: 10.0.0.1\n  gateway: {}", 5,
                        "networking.gateway", "not supported yet"),
                bad("no selector", "type: MeshService\nname: a\nspec:\n  selector: {}\n  ports: [{port: 80}]", 4,
                        "spec.selector", "needs one of"),
                bad("port twice", "type: MeshService\nname: a\nspec:\n  selector: {dataplaneRef: {name: a}}\n"
                        + "  ports:\n  - port: 80\n  - port: 80", 7, "spec.ports[1].port", "occurs twice"));
    }

    private static Arguments bad(String what, String text, int line, String field, String message) {
        return Arguments.of(what, text, line, field, message);
    }

    private static Arguments badRoute(String what, String rules, int line, String field, String message) {
        return bad(what, route(rules), line, field, message);
    }

    private static Arguments badDefault(String what, String defaults, String field, String message) {
        return badRoute(what, "- matches: [{method: GET}]\n  default: " + defaults, 10,
                "spec.to[0].rules[0].default." + field, message);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("bad")
    void aBadDocumentIsRefusedWithLineAndField(String what, String text, int line, String field, String message) {
        List<Document> documents = parse(text);
        assertThat(documents).hasSize(1);
        assertThat(documents.get(0).resource()).isEmpty();
        assertThat(documents.get(0).problems()).anySatisfy(problem -> {
            assertThat(problem.file()).isEqualTo("p.yaml");
            assertThat(problem.line()).isEqualTo(line);
            assertThat(problem.field()).isEqualTo(field);
            assertThat(problem.message()).contains(message);
        });
    }

    @Test
    void allProblemsOfADocumentAreFoundAtOnce() {
        assertThat(parse(route("- matches: [{method: get, path: {type: Exact, value: a}}]\n  defaults: {}"))
                .get(0).problems())
                .extracting(Problem::field)
                .containsExactlyInAnyOrder(
                        "spec.to[0].rules[0].matches[0].path.value",
                        "spec.to[0].rules[0].matches[0].method",
                        "spec.to[0].rules[0].default",
                        "spec.to[0].rules[0].defaults");
    }
}
