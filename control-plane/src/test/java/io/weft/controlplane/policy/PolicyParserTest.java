package io.weft.controlplane.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.controlplane.policy.MeshFaultInjection.Bandwidth;
import io.weft.controlplane.policy.MeshLoadBalancingStrategy.HashPolicy;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Kuma's merged policies: what is taken, and what is refused, where and why. */
class PolicyParserTest {

    private static Document parse(String text) {
        return new ResourceParser().parseFile("p.yaml", text).get(0);
    }

    private static Policy policy(String text) {
        Document document = parse(text);
        assertThat(document.problems()).isEmpty();
        return (Policy) document.resource().orElseThrow();
    }

    private static <C> C to(PolicyKind<C> kind, String conf) {
        return kind.read(policy(
                "type: " + kind.name() + "\nname: a\nspec: {to: [{targetRef: {kind: Mesh}, default: " + conf + "}]}").to().get(0).conf());
    }

    private static <C> C rule(PolicyKind<C> kind, String conf) {
        return kind.read(policy("type: " + kind.name() + "\nname: a\nspec: {rules: [{default: " + conf + "}]}").rules().get(0).conf());
    }

    @Test
    void aRetryNamesConditionsStatusesAndMethods() {
        MeshRetry.Http http = to(PolicyKinds.RETRY,
                "{http: {retryOn: [5xx, '429', 503, HttpMethodGet, Retriable4xx], numRetries: 0}}").http().orElseThrow();
        assertThat(http.conditions()).containsExactly("5xx", "retriable-4xx");
        assertThat(http.statuses()).containsExactly(429, 503);
        assertThat(http.methods()).containsExactly("GET");
        assertThat(http.common().retries()).hasValue(0);
    }

    /** What Go's time.ParseDuration makes of them. */
    @ParameterizedTest
    @CsvSource({
        "0, 0", "0s, 0", "1.5s, 1500000000", ".5s, 500000000", "2.s, 2000000000", "100us, 100000", "1h30m, 5400000000000", "250ns, 250",
        "7\u00b5s, 7000", "7\u03bcs, 7000", "1.5h0.5s, 5400500000000", "0.1ns, 0", "1d, 86400000000000",
        "9223372036854775807ns, 9223372036854775807",
    })
    void aDurationIsReadAsInGo(String text, long nanos) {
        assertThat(to(PolicyKinds.TIMEOUT, "{idleTimeout: '" + text + "'}").idle()).contains(Duration.ofNanos(nanos));
    }

    @ParameterizedTest
    @ValueSource(strings = {"5", "-1s", "1 s", "1S", ".s", "1.2.3s", "1s2", "9223372036854775808ns", "2562048h", ""})
    void whatIsNoDurationInGoIsRefused(String text) {
        assertThat(parse("type: MeshTimeout\nname: a\nspec: {to: [{targetRef: {kind: Mesh}, default: {idleTimeout: '" + text + "'}}]}")
                .problems()).singleElement().satisfies(problem -> {
                    assertThat(problem.field()).isEqualTo("spec.to[0].default.idleTimeout");
                    assertThat(problem.message()).contains("needs a duration as in");
                });
    }

    /** In quotes it would be no better. */
    @Test
    void aNumberForADurationLacksItsUnit() {
        assertThat(parse("type: MeshTimeout\nname: a\nspec: {to: [{targetRef: {kind: Mesh}, default: {idleTimeout: 5}}]}").problems())
                .singleElement().satisfies(problem -> assertThat(problem.message()).isEqualTo(
                        "needs a duration with its unit, as in 24h, 1h30m or 1.5s, not the number 5"));
    }

    @Test
    void whatStandsBesideTheEntriesIsToldItsPlace() {
        assertThat(parse("type: MeshTimeout\nname: a\nspec: {targetRef: {kind: Mesh}, default: {http: {requestTimeout: 2s}}}").problems())
                .singleElement().satisfies(problem -> {
                    assertThat(problem.field()).isEqualTo("spec.default");
                    assertThat(problem.message()).isEqualTo("stands in an entry that says for which traffic it is; move it to spec.to[].default, "
                            + "beside a targetRef, or for what comes in to spec.rules[].default");
                });
        assertThat(parse("type: MeshRateLimit\nname: a\nspec: {default: {local: {}}}").problems()).singleElement()
                .satisfies(problem -> assertThat(problem.message()).endsWith("move it to spec.rules[].default"));
        assertThat(parse("type: MeshRetry\nname: a\nspec: {default: {}}").problems()).singleElement()
                .satisfies(problem -> assertThat(problem.message()).endsWith("move it to spec.to[].default, beside a targetRef"));
    }

    @Test
    void hashPoliciesMayStandInTheirOlderPlace() {
        MeshLoadBalancingStrategy strategy = to(PolicyKinds.LOAD_BALANCING,
                "{loadBalancer: {type: Maglev, maglev: {hashPolicies: [{type: Header, header: {name: x-user}}]}}}");
        assertThat(strategy.loadBalancer()).contains(new MeshLoadBalancingStrategy.Maglev(OptionalInt.empty()));
        assertThat(strategy.hashPolicies()).contains(
                List.of(new HashPolicy(new MeshLoadBalancingStrategy.Header("x-user"), Optional.empty())));
    }

    @Test
    void numbersMayBeTexts() {
        assertThat(to(PolicyKinds.CIRCUIT_BREAKER,
                        "{outlierDetection: {healthyPanicThreshold: '12.5', detectors: {successRate: {standardDeviationFactor: 1.9}}}}")
                .outliers()).hasValueSatisfying(outliers -> {
                    assertThat(outliers.panicThreshold()).contains(new BigDecimal("12.5"));
                    assertThat(outliers.detectors().successRate().orElseThrow().deviationFactor()).contains(new BigDecimal("1.9"));
                });
    }

    @Test
    void aBandwidthHasItsUnit() {
        assertThat(rule(PolicyKinds.FAULT_INJECTION, "{http: [{responseBandwidth: {limit: 50 Mbps, percentage: 1}}]}").faults())
                .extracting(fault -> fault.bandwidth().orElseThrow())
                .containsExactly(new Bandwidth(50_000, BigDecimal.ONE));
    }

    @Test
    void aLimitThatIsDisabledIsNone() {
        assertThat(rule(PolicyKinds.RATE_LIMIT, "{local: {http: {disabled: true, requestRate: {num: 1, interval: 1s}}}}"))
                .isEqualTo(MeshRateLimit.NONE);
    }

    /** To say nothing of a field takes nothing away, and a longer list does not grow. */
    @Test
    void whatIsMergedIsWhatKumaMerges() {
        Conf lower = policy("type: MeshTimeout\nname: a\nspec: {to: [{targetRef: {kind: Mesh}, default: {idleTimeout: 1s, http: {requestTimeout:"
                + " 1s, streamIdleTimeout: 1s}}}]}").to().get(0).conf();
        Conf higher = policy("type: MeshTimeout\nname: b\n\nspec: {to: [{targetRef: {kind: Mesh}, default: {idleTimeout: null, http:"
                + " {requestTimeout: 2s}}}]}").to().get(0).conf();
        MeshTimeout merged = PolicyKinds.TIMEOUT.read(Conf.merge(List.of(lower, higher)));
        assertThat(merged.idle()).contains(Duration.ofSeconds(1));
        assertThat(merged.http().request()).contains(Duration.ofSeconds(2));
        assertThat(merged.http().streamIdle()).contains(Duration.ofSeconds(1));
    }

    @Test
    void whereAPolicyStandsMakesNoDifference() {
        String text = "type: MeshTimeout\nname: a\nspec: {to: [{targetRef: {kind: Mesh}, default: {idleTimeout: 1s}}]}";
        assertThat(policy("# a comment\n\n" + text)).isEqualTo(policy(text));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', value = {
        "MeshTimeout | to: [{targetRef: {kind: Mesh}, default: {}}] | spec.to[0].default.http | is missing",
        "MeshTimeout | to: [{targetRef: {kind: Mesh}, default: {connectionTimeout: 0s}}] | spec.to[0].default.connectionTimeout | above zero",
        "MeshTimeout | to: [{targetRef: {kind: Mesh}, default: {idleTimeOut: 1s}}] | spec.to[0].default.idleTimeOut | Did you mean idleTimeout?",
        "MeshTimeout | to: [{targetRef: {kind: MeshHTTPRoute, name: r}, default: {idleTimeout: 1s}}] | spec.to[0].default.idleTimeout | MeshHTTPRoute",
        "MeshTimeout | rules: [{matches: [{spiffeID: {type: Exact, value: 'spiffe://a/b'}}], default: {http: {requestTimeout: 1s}}}] | spec.rules[0].matches | same for all callers",
        "MeshTimeout | targetRef: {kind: MeshGateway, name: g} | spec.targetRef.kind | gateways are not served",
        "MeshTimeout | targetRef: {kind: Mesh} | spec.to | says nothing",
        "MeshRetry | rules: [] | spec.rules | is not a field here",
        "MeshRetry | to: [{targetRef: {kind: Mesh}, default: {http: {retryOn: [Http3PostConnectFailure]}}}] | spec.to[0].default.http.retryOn[0] | HTTP/3",
        "MeshRetry | to: [{targetRef: {kind: Mesh}, default: {http: {backOff: {baseInterval: 2s, maxInterval: 1s}}}}] | spec.to[0].default.http.backOff.maxInterval | below",
        "MeshCircuitBreaker | to: [{targetRef: {kind: MeshHTTPRoute, name: r}, default: {connectionLimits: {maxRetries: 1}}}] | spec.to[0].targetRef.kind | the service's",
        "MeshCircuitBreaker | to: [{targetRef: {kind: Mesh}, default: {connectionLimits: {maxRetries: 0}}}] | spec.to[0].default.connectionLimits.maxRetries | from 1",
        "MeshCircuitBreaker | to: [{targetRef: {kind: Mesh}, default: {outlierDetection: {interval: 1s}}}] | spec.to[0].default.outlierDetection.detectors | is missing",
        "MeshLoadBalancingStrategy | to: [{targetRef: {kind: Mesh}, default: {loadBalancer: {type: Maglev, maglev: {tableSize: 4}}}}] | spec.to[0].default.loadBalancer.maglev.tableSize | prime",
        "MeshLoadBalancingStrategy | to: [{targetRef: {kind: MeshHTTPRoute, name: r}, default: {loadBalancer: {type: Random}}}] | spec.to[0].default.loadBalancer | only hashPolicies",
        "MeshLoadBalancingStrategy | to: [{targetRef: {kind: Mesh}, default: {hashPolicies: [{type: Cookie}]}}] | spec.to[0].default.hashPolicies[0].cookie | is missing",
        "MeshHealthCheck | to: [{targetRef: {kind: Mesh}, default: {interval: 1s}}] | spec.to[0].default.http | is missing",
        "MeshRateLimit | to: [{targetRef: {kind: Mesh}, default: {}}] | spec.to | gateways",
        "MeshRateLimit | rules: [{default: {local: {http: {requestRate: {num: 1, interval: 1ms}}}}}] | spec.rules[0].default.local.http.requestRate.interval | 50ms",
        "MeshRateLimit | rules: [{matches: [{spiffeID: {type: Exact, value: 'spiffe://a/b'}}], default: {local: {tcp: {disabled: true}}}}] | spec.rules[0].default.local.tcp | for some callers",
        "MeshFaultInjection | rules: [{matches: [{sni: {type: Exact, value: a}}], default: {}}] | spec.rules[0].matches[0].sni | match by spiffeID",
        "MeshFaultInjection | rules: [{default: {http: [{}]}}] | spec.rules[0].default.http[0] | injects nothing",
        "MeshFaultInjection | rules: [{default: {http: [{abort: {httpStatus: 100, percentage: 1}}]}}] | spec.rules[0].default.http[0].abort.httpStatus | from 200",
        "MeshAccessLog | to: [{targetRef: {kind: Mesh}, default: {backends: [{type: Tcp, tcp: {address: 'a:1'}}]}}] | spec.to[0].default.backends[0].type | write a File",
        "MeshAccessLog | to: [{targetRef: {kind: MeshHTTPRoute, name: r}, default: {backends: []}}] | spec.to[0].targetRef.kind | %ROUTE_NAME%",
        "MeshAccessLog | rules: [{default: {backends: []}}], from: [{targetRef: {kind: Mesh}, default: {backends: []}}] | spec.rules | exclude each other",
        "MeshAccessLog | from: [{targetRef: {kind: MeshService, name: a}, default: {backends: []}}] | spec.from[0].targetRef.kind | must be one of Mesh",
        "MeshExternalService | match: {port: 80}, endpoints: [{address: a.b, port: 80}] | spec.match.protocol | opened by the app itself",
        "MeshExternalService | match: {port: 80, protocol: http}, endpoints: [] | spec.endpoints | at least one",
        "MeshExternalService | match: {port: 80, protocol: http}, endpoints: [{address: a/b, port: 80}] | spec.endpoints[0].address | host name",
        "MeshExternalService | match: {port: 80, protocol: http}, endpoints: [{address: a.b, port: 80}], extension: {type: a} | spec.extension | plugins",
        "MeshExternalService | match: {port: 80, protocol: http}, endpoints: [{address: a.b, port: 80}], tls: {allowRenegotiation: true} | spec.tls.allowRenegotiation | renegotiation",
        "MeshExternalService | match: {port: 80, protocol: http}, endpoints: [{address: a.b, port: 80}], tls: {verification: {mode: None}} | spec.tls.verification.mode | SkipSAN",
        "MeshExternalService | match: {port: 80, protocol: http}, endpoints: [{address: a.b, port: 80}], tls: {verification: {clientKey: {type: InsecureInline}}} | spec.tls.verification.clientKey | every data plane",
        "MeshExternalService | match: {port: 80, protocol: http}, endpoints: [{address: a.b, port: 80}], tls: {verification: {caCert: {type: File, file: {path: /etc/passwd}}}} | spec.tls.verification.caCert.type | InsecureInline",
        "MeshExternalService | match: {port: 80, protocol: http}, endpoints: [{address: a.b, port: 80}], tls: {verification: {caCert: {type: InsecureInline, insecureInline: {value: a}}}} | spec.tls.verification.caCert.insecureInline.value | certificate",
        "MeshTrace | default: {} | spec.default.backends | is missing",
        "MeshTrace | to: [] | spec.default | is missing",
        "MeshTrace | default: {backends: []}, to: [] | spec.to | is not a field here",
        "MeshTrace | default: {backends: [{type: Zipkin, zipkin: {url: 'http://a:1'}}, {type: Zipkin, zipkin: {url: 'http://a:1'}}]} | spec.default.backends | one backend",
        "MeshTrace | default: {backends: [{type: Zipkin, zipkin: {url: 'a:1'}}]} | spec.default.backends[0].zipkin.url | must be a URL",
        "MeshTrace | default: {backends: [{type: Zipkin}]} | spec.default.backends[0].zipkin | is missing",
        "MeshTrace | default: {backends: [{type: Datadog, datadog: {url: 'https://a:1'}}]} | spec.default.backends[0].datadog.url | nothing else",
        "MeshTrace | default: {backends: [{type: Datadog, datadog: {url: 'http://a:1/b'}}]} | spec.default.backends[0].datadog.url | nothing else",
        "MeshTrace | default: {backends: [{type: OpenTelemetry, openTelemetry: {}}]} | spec.default.backends[0].openTelemetry.backendRef | is missing",
        "MeshTrace | default: {backends: [{type: OpenTelemetry, openTelemetry: {endpoint: 'http://a'}}]} | spec.default.backends[0].openTelemetry.endpoint | without a scheme",
        "MeshTrace | default: {backends: [{type: OpenTelemetry, openTelemetry: {backendRef: {kind: MeshOpenTelemetryBackend, labels: {}}}}]} | spec.default.backends[0].openTelemetry.backendRef.labels | must not be empty",
        "MeshTrace | default: {backends: [], sampling: {random: 101}} | spec.default.sampling.random | from 0 to 100",
        "MeshTrace | default: {backends: [], tags: [{name: a}]} | spec.default.tags[0].literal | set one",
        "MeshTrace | default: {backends: [], tags: [{name: a, literal: b, header: {name: c}}]} | spec.default.tags[0].literal | exclude each other",
        "MeshMetric | default: {backends: [{type: OpenTelemetry}]} | spec.default.backends[0].openTelemetry | is missing",
        "MeshMetric | default: {backends: [{type: OpenTelemetry, openTelemetry: {endpoint: a, refreshInterval: 0s}}]} | spec.default.backends[0].openTelemetry.refreshInterval | above zero",
        "MeshMetric | default: {backends: [{type: Prometheus, prometheus: {tls: {mode: ProvidedTLS}}}]} | spec.default.backends[0].prometheus.tls.mode | plaintext",
        "MeshMetric | default: {backends: [{type: Prometheus, prometheus: {path: metrics}}]} | spec.default.backends[0].prometheus.path | absolute",
        "MeshMetric | default: {backends: [{type: Prometheus, prometheus: {}}, {type: Prometheus, prometheus: {clientId: a}}]} | spec.default.backends[1] | of another backend",
        "MeshMetric | default: {sidecar: {profiles: {appendProfiles: [{name: Basic}]}}} | spec.default.sidecar.profiles.appendProfiles[0].name | scraped",
        "MeshMetric | default: {sidecar: {profiles: {exclude: [{type: Exact, match: a}]}}} | spec.default.sidecar.profiles.exclude | scraped",
        "MeshMetric | default: {applications: [{port: 8080}]} | spec.default.applications | the app itself",
        "MeshPassthrough | targetRef: {kind: Dataplane, sectionName: a}, default: {} | spec.targetRef | whole data plane",
        "MeshPassthrough | default: {passthroughMode: Some} | spec.default.passthroughMode | must be one of",
        "MeshPassthrough | default: {appendMatch: [{type: Domain, value: a.com}]} | spec.default.appendMatch[0].protocol | knows no domain",
        "MeshPassthrough | default: {appendMatch: [{type: Domain, value: 'http://a.com', protocol: tls}]} | spec.default.appendMatch[0].value | host name",
        "MeshPassthrough | default: {appendMatch: [{type: Domain, value: '*a.com', protocol: tls}]} | spec.default.appendMatch[0].value | host name",
        "MeshPassthrough | default: {appendMatch: [{type: Domain, value: '*.a.com', protocol: http}]} | spec.default.appendMatch[0].port | wildcard",
        "MeshPassthrough | default: {appendMatch: [{type: IP, value: a.com}]} | spec.default.appendMatch[0].value | IP address",
        "MeshPassthrough | default: {appendMatch: [{type: CIDR, value: 10.0.0.0/33}]} | spec.default.appendMatch[0].value | prefix",
        "MeshPassthrough | default: {appendMatch: [{type: IP, value: 10.0.0.1, protocol: mysql}]} | spec.default.appendMatch[0].port | mysql",
        "MeshPassthrough | default: {appendMatch: [{type: Domain, value: a.com, protocol: http, port: 80}, {type: Domain, value: b.com, protocol: grpc, port: 80}]} | spec.default.appendMatch[1].protocol | which is http",
        "MeshPassthrough | default: {appendMatch: [{type: IP, value: 10.0.0.1, port: 80}, {type: IP, value: 10.0.0.1, port: 80}]} | spec.default.appendMatch[1].value | occurs twice",
        "MeshOpenTelemetryBackend | endpoint: {address: 'http://a'} | spec.endpoint.address | without a scheme",
        "MeshOpenTelemetryBackend | endpoint: {path: /a} | spec.endpoint.path | protocol: http",
        "MeshOpenTelemetryBackend | env: {mode: Required} | spec.env.mode | its own settings",
        "MeshTCPRoute | to: [{targetRef: {kind: Mesh}, rules: []}] | spec.to[0].targetRef.kind | must be one of MeshService",
        "MeshTCPRoute | to: [{targetRef: {kind: MeshService, name: a}, rules: [{matches: [], default: {}}]}] | spec.to[0].rules[0].matches | is not a field here",
        "MeshTCPRoute | to: [{targetRef: {kind: MeshService, name: a}, rules: [{default: {backendRefs: []}}]}] | spec.to[0].rules[0].default.backendRefs | at least one",
        "MeshTCPRoute | to: [{targetRef: {kind: MeshService, name: a}, rules: [{default: {backendRefs: [{kind: MeshService, name: b}]}}, {default: {backendRefs: [{kind: MeshService, name: b}]}}]}] | spec.to[0].rules | one rule",
        "MeshMultiZoneService | selector: {meshService: {matchLabels: {}}}, ports: [{port: 80}] | spec.selector.meshService.matchLabels | must not be empty",
        "MeshMultiZoneService | selector: {meshService: {matchLabels: {a: b}}}, ports: [] | spec.ports | at least one",
        "MeshMultiZoneService | selector: {meshService: {matchLabels: {a: b}}}, ports: [{port: 80}, {port: 80}] | spec.ports[1].port | occurs twice",
    })
    void whatIsNotInOrderIsRefusedByFieldAndReason(String kind, String spec, String field, String reason) {
        assertThat(parse("type: " + kind + "\nname: a\nspec: {" + spec + "}").problems())
                .anySatisfy(problem -> {
                    assertThat(problem.field()).isEqualTo(field);
                    assertThat(problem.message()).contains(reason);
                    assertThat(problem.line()).isEqualTo(3);
                });
    }

    @Test
    void aKindThatIsNotServedIsRefusedWithTheReason() {
        for (String kind : List.of("MeshProxyPatch", "MeshGateway")) {
            assertThat(parse("type: " + kind + "\nname: a\nspec: {}").problems()).singleElement().satisfies(problem -> {
                assertThat(problem.field()).isEqualTo("type");
                assertThat(problem.message()).startsWith("'" + kind + "' is not supported: ");
            });
        }
    }
}
