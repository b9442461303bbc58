package io.weft.controlplane.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.controlplane.policy.Dataplane;
import io.weft.controlplane.policy.InitialPolicies;
import io.weft.controlplane.policy.MeshRateLimit;
import io.weft.controlplane.policy.MeshTrafficPermission.Caller;
import io.weft.controlplane.policy.Policy;
import io.weft.controlplane.policy.PolicyKinds;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class InboundRulesTest {

    private static final Dataplane ORDERS = Policies.read(Dataplane.class, """
            type: Dataplane
            name: orders-1
            labels: {team: shop}
            networking:
              address: 10.0.0.1
              inbound:
              - {port: 8080, name: main, tags: {kuma.io/service: orders}}
              - {port: 8081, name: admin, tags: {kuma.io/service: orders}}
            """).get(0);

    private static InboundRules.Selected rules(int inbound, String policies) {
        List<Map<String, String>> tags = ORDERS.inbounds().stream().map(Dataplane.Inbound::tags).toList();
        return new InboundRules(
                        Policies.read(Policy.class, policies),
                        InitialPolicies.of(Optional.empty()),
                        service -> List.of(new Caller(Caller.Kind.EXACT, "spiffe://mesh/" + service)))
                .of(ORDERS.metadata(), tags, ORDERS.inbounds().get(inbound));
    }

    private static String limit(String name, String target, String matches, int number) {
        return """
                type: MeshRateLimit
                name: %s
                spec:
                  targetRef: %s
                  rules: [{%sdefault: {local: {http: {requestRate: {num: %d, interval: 1s}}}}}]
                ---
                """.formatted(name, target, matches, number);
    }

    private static int number(Optional<MeshRateLimit> limit) {
        return limit.flatMap(MeshRateLimit::requests).map(requests -> requests.rate().number()).orElse(-1);
    }

    @Test
    void oneInboundIsMoreSpecificThanAllOfThem() {
        String policies = limit("a", "{kind: Dataplane, labels: {team: shop}}", "", 1)
                + limit("b", "{kind: Dataplane, labels: {team: shop}, sectionName: admin}", "", 2)
                + limit("c", "{kind: Dataplane, labels: {team: other}}", "", 3);
        assertThat(number(rules(0, policies).forAnyone(PolicyKinds.RATE_LIMIT))).isEqualTo(1);
        assertThat(number(rules(1, policies).forAnyone(PolicyKinds.RATE_LIMIT))).isEqualTo(2);
    }

    /** Kuma's CompareDataplaneKind. */
    @Test
    void theNameOfADataplaneCountsBeforeOneOfItsInbounds() {
        String policies = limit("b", "{kind: Dataplane, name: orders-1}", "", 1)
                + limit("a", "{kind: Dataplane, labels: {team: shop}, sectionName: main}", "", 2);
        assertThat(number(rules(0, policies).forAnyone(PolicyKinds.RATE_LIMIT))).isEqualTo(1);
        String both = policies + limit("c", "{kind: Dataplane, name: orders-1, sectionName: main}", "", 3);
        assertThat(number(rules(0, both).forAnyone(PolicyKinds.RATE_LIMIT))).isEqualTo(3);
    }

    @Test
    void bothShapesMeanTheSame() {
        String older = "type: MeshRateLimit\nname: a\nspec: {targetRef: {kind: MeshService, name: orders}, from: [{targetRef: {kind:"
                + " Mesh}, default: {local: {http: {requestRate: {num: 4, interval: 1s}}}}}]}";
        assertThat(number(rules(0, older).forAnyone(PolicyKinds.RATE_LIMIT))).isEqualTo(4);
    }

    @Test
    void theMostSpecificCallerComesFirstAndKeepsWhatWiderRulesSay() {
        String policies = limit("a", "{kind: Mesh}", "", 1)
                + limit("b", "{kind: Mesh}", "matches: [{spiffeID: {type: Prefix, value: 'spiffe://mesh/'}}], ", 2)
                + """
                type: MeshRateLimit
                name: c
                spec:
                  rules:
                  - matches: [{spiffeID: {type: Exact, value: 'spiffe://mesh/web'}}]
                    default: {local: {http: {onRateLimit: {status: 503}}}}
                """;
        InboundRules.Selected rules = rules(0, policies);
        List<InboundRules.Said<MeshRateLimit>> byCaller = rules.byCaller(PolicyKinds.RATE_LIMIT);
        assertThat(byCaller).extracting(said -> said.caller().orElseThrow().value())
                .containsExactly("spiffe://mesh/web", "spiffe://mesh/");
        MeshRateLimit.Requests web = byCaller.get(0).conf().requests().orElseThrow();
        assertThat(web.rate().number()).isEqualTo(2);
        assertThat(web.status()).hasValue(503);
        assertThat(number(rules.forAnyone(PolicyKinds.RATE_LIMIT))).isEqualTo(1);
    }

    @Test
    void aFaultOfTheOlderShapeIsForTheServiceThatACertificateProves() {
        InboundRules.Selected rules = rules(0, """
                type: MeshFaultInjection
                name: a
                spec:
                  from:
                  - targetRef: {kind: MeshService, name: web}
                    default: {http: [{abort: {httpStatus: 500, percentage: 1}}]}
                """);
        assertThat(rules.each(PolicyKinds.FAULT_INJECTION)).singleElement().satisfies(said ->
                assertThat(said.caller()).contains(new Caller(Caller.Kind.EXACT, "spiffe://mesh/web")));
    }

    /** A server is given twice what a caller gives it, so that it is the caller who gives up. */
    @Test
    void underATimeoutIsWhatIsThereFromTheStart() {
        var timeout = rules(0, """
                type: MeshTimeout
                name: a
                spec: {rules: [{default: {http: {streamIdleTimeout: 7s}}}]}
                """).forAnyone(PolicyKinds.TIMEOUT).orElseThrow();
        assertThat(timeout.http().streamIdle()).contains(Duration.ofSeconds(7));
        assertThat(timeout.http().request()).contains(Duration.ZERO);
        assertThat(timeout.connection()).contains(Duration.ofSeconds(10));
    }
}
