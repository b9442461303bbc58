package io.weft.agent.status;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.ClusterStats.EndpointStats;
import io.weft.dataplane.Explanation;
import io.weft.dataplane.Explanation.Choice;
import io.weft.dataplane.Explanation.Limits;
import io.weft.dataplane.Explanation.Outcome;
import io.weft.policy.model.Cluster;
import io.weft.policy.model.EndpointAssignment.Health;
import io.weft.policy.model.HttpVersion;
import io.weft.policy.model.LoadBalancing;
import io.weft.policy.model.NameTable;
import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.model.Resilience;
import io.weft.policy.model.TransportSockets;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What an operator reads of it. */
class ExplanationPageTest {
    private static final EndpointStats ENDPOINT =
            new EndpointStats(new InetSocketAddress("127.0.0.1", 8080), 0, 1, Health.HEALTHY, 0, 0, 0, true, false, false, 0);

    private static Cluster subset(String name, Map<String, String> tags) {
        return new Cluster(name, new Cluster.Eds(name), LoadBalancing.of(LoadBalancing.RoundRobin.DEFAULT), Resilience.DEFAULT,
                TransportSockets.PLAINTEXT, HttpVersion.HTTP_1_1, false, tags);
    }

    private static ExplanationPage page(String url, Explanation explanation) {
        PolicySnapshot policy = new PolicySnapshot(1, Map.of(), Map.of(),
                Map.of("orders-1f", subset("orders-1f", Map.of("version", "v1", "team", "a")), "orders-2e", subset("orders-2e", Map.of("version", "v3"))),
                Map.of(), Map.of(), NameTable.EMPTY, List.of());
        return new ExplanationPage(new AskedRequest("GET", URI.create(url), Map.of()), explanation, new ClusterTags(policy),
                new ExplanationPage.Asked("shop", 4711));
    }

    private static ExplanationPage split() {
        return page("http://orders/x", new Explanation(true, "orders", "canary", Outcome.SENT,
                List.of(new Choice("orders-1f", 90, true, List.of(ENDPOINT)), new Choice("orders-2e", 10, true, List.of())),
                new Limits(15_000_000_000L, 0, 5)));
    }

    @Test
    void subsetsAreCalledByTheirTagsAndOneThatNobodyIsInIsSaidToFail() {
        assertThat(split().text().lines()).containsExactly(
                "GET http://orders/x, sent by shop, process 4711",
                "  virtual host orders",
                "  route        canary",
                "  limits       15000 ms for all attempts, tried again up to 5 times",
                "  cluster      orders-1f (team=a,version=v1), 90.00 % of requests, mesh TLS",
                "    endpoint   127.0.0.1:8080, mesh TLS, healthy, weight 1",
                "  cluster      orders-2e (version=v3), 10.00 % of requests: NO ENDPOINT, its requests get 503: no instance with these tags is registered; "
                        + "weft status --all lists who is");
    }

    @Test
    void scriptsFindThemToo() {
        assertThat(split().json()).contains("\"pid\":4711,\"service\":\"shop\",", "\"timeoutMs\":15000,\"perTryTimeoutMs\":0,\"retries\":5,",
                "\"cluster\":\"orders-1f\",\"tags\":{\"team\":\"a\",\"version\":\"v1\"},");
    }

    @Test
    void whatIsNotTheMeshsSaysWhy() {
        Explanation untouched = new Explanation(false, "", "", Outcome.UNTOUCHED, List.of(), new Limits(0, 0, 0));
        assertThat(page("http://ordrs/", untouched).text()).contains("no policy names ordrs: ", "weft status --all");
        assertThat(page("https://orders/", untouched).text()).contains("over https it is the app's own affair", "called by http://");
    }
}
