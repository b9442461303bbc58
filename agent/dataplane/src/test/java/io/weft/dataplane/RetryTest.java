package io.weft.dataplane;

import static io.weft.dataplane.Policies.any;
import static io.weft.dataplane.Policies.cluster;
import static io.weft.dataplane.Policies.endpoint;
import static io.weft.dataplane.Policies.forward;
import static io.weft.dataplane.Policies.host;
import static io.weft.dataplane.Policies.limits;
import static io.weft.dataplane.Policies.retry;
import static io.weft.dataplane.Policies.retryOn;
import static io.weft.dataplane.Policies.route;
import static io.weft.dataplane.Policies.snapshot;
import static io.weft.dataplane.Policies.to;
import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.Exchange.Failure;
import io.weft.dataplane.Exchange.Replay;
import io.weft.dataplane.Exchange.Step;
import io.weft.policy.model.CircuitBreakers;
import io.weft.policy.model.EndpointAssignment.Health;
import io.weft.policy.model.EndpointAssignment.LbEndpoint;
import io.weft.policy.model.FilterOverrides;
import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.HeaderMatch;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.Resending;
import io.weft.policy.model.RetryPolicy;
import io.weft.policy.model.RetryPolicy.BackOff;
import io.weft.policy.model.RetryPolicy.Conditions;
import io.weft.policy.model.RetryPolicy.HostSelection;
import io.weft.policy.model.RetryPolicy.On;
import io.weft.policy.model.RetryPolicy.PerTry;
import io.weft.policy.model.RetryPolicy.RateLimitedBackOff;
import io.weft.policy.model.RetryPolicy.ResetFormat;
import io.weft.policy.model.RetryPolicy.ResetHeader;
import io.weft.policy.model.StringMatch;
import io.weft.policy.model.VirtualHost;
import io.weft.policy.model.VirtualHost.AttemptCount;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class RetryTest {

    private static Fixture mesh(RetryPolicy policy, LbEndpoint... endpoints) {
        return Fixture.with(snapshot()
                .routes(host("orders", route(any(), forward("orders", policy, Duration.ZERO))))
                .cluster(cluster("orders"), endpoints));
    }

    private static Request dialled(RetryPolicy policy) {
        return mesh(policy, endpoint(1), endpoint(2), endpoint(3)).dialled(Request.get("orders", "/"));
    }

    @ParameterizedTest
    @CsvSource({
        "SERVER_ERROR_5XX, 500, true", "SERVER_ERROR_5XX, 599, true", "SERVER_ERROR_5XX, 499, false",
        "GATEWAY_ERROR, 502, true", "GATEWAY_ERROR, 503, true", "GATEWAY_ERROR, 504, true", "GATEWAY_ERROR, 500, false",
        "RETRIABLE_4XX, 409, true", "RETRIABLE_4XX, 404, false",
        "RESET, 503, false", "CONNECT_FAILURE, 503, false", "REFUSED_STREAM, 503, false", "UNAVAILABLE, 503, false",
        "RETRIABLE_STATUS_CODES, 503, false",
    })
    void statusCodes(On on, int status, boolean expected) {
        assertThat(dialled(retryOn(1, on)).onResponse(status, Fixture.NO_HEADERS)).isEqualTo(expected);
    }

    @Test
    void namedStatusCodes() {
        RetryPolicy policy = retry(
                1, new Conditions(Set.of(On.RETRIABLE_STATUS_CODES), Set.of(404, 429), List.of(), List.of()));

        assertThat(dialled(policy).onResponse(429, Fixture.NO_HEADERS)).isTrue();
        assertThat(dialled(policy).onResponse(404, Fixture.NO_HEADERS)).isTrue();
        assertThat(dialled(policy).onResponse(500, Fixture.NO_HEADERS)).isFalse();
    }

    @Test
    void whatAnEnvoyRateLimitedIsTriedAgainOnlyIfThePolicySaysSo() {
        ResponseHeaders limited = Fixture.headers("x-envoy-ratelimited", "true");

        assertThat(dialled(retryOn(1, On.SERVER_ERROR_5XX)).onResponse(503, limited)).isFalse();
        assertThat(dialled(retryOn(1, On.ENVOY_RATELIMITED)).onResponse(429, limited)).isTrue();
        assertThat(dialled(retryOn(1, On.ENVOY_RATELIMITED)).onResponse(429, Fixture.NO_HEADERS)).isFalse();
    }

    @Test
    void retriableHeaders() {
        HeaderMatch busy = new HeaderMatch("x-busy", new HeaderMatch.Present(true), false, false);
        HeaderMatch teapot = new HeaderMatch(":status", new HeaderMatch.Range(418, 419), false, false);
        RetryPolicy policy = retry(1, new Conditions(Set.of(On.RETRIABLE_HEADERS), Set.of(), List.of(busy, teapot), List.of()));

        assertThat(dialled(policy).onResponse(200, Fixture.headers("x-busy", ""))).isTrue();
        assertThat(dialled(policy).onResponse(418, Fixture.NO_HEADERS)).isTrue();
        assertThat(dialled(policy).onResponse(500, Fixture.NO_HEADERS)).isFalse();
    }

    @Test
    void askedTooEarlyTheServerIsAskedAgainAtOnce() {
        RetryPolicy policy = retry(1, new Conditions(Set.of(On.RETRIABLE_STATUS_CODES), Set.of(425), List.of(), List.of()));
        Request request = dialled(policy);

        assertThat(request.onResponse(425, Fixture.NO_HEADERS)).isTrue();
        assertThat(request.backoffNanos()).isZero();
    }

    private static RetryPolicy resetHeaders(ResetHeader... headers) {
        return new RetryPolicy(
                Conditions.on(On.GATEWAY_ERROR), 1, PerTry.NO_LIMIT, BackOff.DEFAULT,
                Optional.of(new RateLimitedBackOff(List.of(headers), Duration.ofSeconds(60))), HostSelection.ANY);
    }

    @ParameterizedTest
    @CsvSource({"10, 10000, 15000", "60, 60000, 90000", "61, 0, 25", "-1, 0, 25", "soon, 0, 25", "0, 0, 25"})
    void aResponseSaysWhenToComeBack(String said, long fromMillis, long toMillis) {
        RetryPolicy policy = resetHeaders(new ResetHeader("retry-after", ResetFormat.SECONDS));
        for (int i = 0; i < 100; i++) {
            Request request = dialled(policy);
            request.onResponse(503, Fixture.headers("retry-after", said));
            assertThat(request.backoffNanos() / 1e6).isBetween((double) fromMillis, (double) toMillis);
        }
    }

    @Test
    void aResponseSaysAtWhichTimeToComeBack() {
        Fixture mesh = mesh(resetHeaders(
                        new ResetHeader("retry-after", ResetFormat.SECONDS),
                        new ResetHeader("x-ratelimit-reset", ResetFormat.UNIX_TIMESTAMP)),
                endpoint(1), endpoint(2));
        mesh.time.advance(Duration.ofSeconds(1));
        Request request = mesh.dialled(Request.get("orders", "/"));
        long now = mesh.time.instant().getEpochSecond();
        request.onResponse(503, Fixture.headers("x-ratelimit-reset", Long.toString(now + 20)));
        assertThat(request.backoffNanos() / 1e9).isBetween(20.0, 30.0);

        Request past = mesh.dialled(Request.get("orders", "/"));
        past.onResponse(503, Fixture.headers("x-ratelimit-reset", Long.toString(now - 1)));
        assertThat(past.backoffNanos() / 1e6).isLessThan(25);
    }

    @Test
    void aRequestAsksForItsOwnRetries() {
        Fixture mesh = Fixture.with(snapshot().routes(host("orders", to("orders"))).cluster("orders", 1, 2));
        Request request = mesh.dialled(Request.get("orders", "/")
                .with("x-envoy-retry-on", "gateway-error, nonsense,cancelled")
                .with("x-envoy-max-retries", "2")
                .with("x-app", "kept"));

        assertThat(request.requestChanges().remove()).containsExactlyInAnyOrder("x-envoy-retry-on", "x-envoy-max-retries");
        assertThat(request.onResponse(503, Fixture.NO_HEADERS)).isTrue();
        request.next();
        assertThat(request.onResponse(503, Fixture.NO_HEADERS)).isTrue();
        request.next();
        assertThat(request.onResponse(503, Fixture.NO_HEADERS)).isFalse();

        assertThat(mesh.dialled(Request.get("orders", "/").with("x-envoy-retry-on", "cancelled"))
                        .onResponse(200, Fixture.headers("grpc-status", "1")))
                .as("a gRPC condition in the wrong header")
                .isFalse();
        assertThat(mesh.dialled(Request.get("orders", "/").with("x-envoy-retry-grpc-on", "cancelled"))
                        .onResponse(200, Fixture.headers("grpc-status", "1")))
                .isTrue();
        assertThat(mesh.dialled(Request.get("orders", "/").with("x-envoy-max-retries", "5"))
                        .onResponse(503, Fixture.NO_HEADERS))
                .as("how often, but not when")
                .isFalse();
    }

    @Test
    void aRequestAddsToTheRoutesRetries() {
        RetryPolicy policy = retryOn(1, On.RETRIABLE_STATUS_CODES);

        assertThat(mesh(policy, endpoint(1)).dialled(Request.get("orders", "/").with("x-envoy-retriable-status-codes", "418,x"))
                        .onResponse(418, Fixture.NO_HEADERS))
                .isTrue();
        assertThat(mesh(policy, endpoint(1)).dialled(Request.get("orders", "/")
                                .with("x-envoy-retry-on", "retriable-headers")
                                .with("x-envoy-retriable-header-names", "x-a, X-Busy"))
                        .onResponse(200, Fixture.headers("x-busy", "1")))
                .isTrue();
        assertThat(mesh(policy, endpoint(1)).dialled(Request.get("orders", "/")
                                .with("x-envoy-retry-on", "5xx")
                                .with("x-envoy-max-retries", "0"))
                        .onResponse(503, Fixture.NO_HEADERS))
                .isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "CANCELLED, 1, true", "DEADLINE_EXCEEDED, 4, true", "RESOURCE_EXHAUSTED, 8, true", "INTERNAL, 13, true",
        "UNAVAILABLE, 14, true", "UNAVAILABLE, 13, false", "UNAVAILABLE, 0, false", "SERVER_ERROR_5XX, 14, false",
    })
    void grpcStatus(On on, String status, boolean expected) {
        assertThat(dialled(retryOn(1, on)).onResponse(200, Fixture.headers("grpc-status", status))).isEqualTo(expected);
    }

    @Test
    void aRateLimitedResponseIsDelivered() {
        assertThat(dialled(retryOn(1, On.SERVER_ERROR_5XX)).onResponse(503, Fixture.headers("x-envoy-ratelimited", "true")))
                .isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "SERVER_ERROR_5XX,     true,  true,  true",
        "GATEWAY_ERROR,        true,  true,  true",
        "RESET,                true,  true,  true",
        "RESET_BEFORE_REQUEST, true,  false, false",
        "CONNECT_FAILURE,      true,  false, false",
        "REFUSED_STREAM,       false, false, true",
        "RETRIABLE_4XX,        false, false, false",
        "UNAVAILABLE,          false, false, false",
    })
    void resets(On on, boolean connect, boolean reset, boolean refused) {
        assertThat(dialled(retryOn(1, on)).onFailure(Failure.CONNECT)).isEqualTo(connect);
        assertThat(dialled(retryOn(1, on)).onFailure(Failure.RESET)).isEqualTo(reset);
        assertThat(dialled(retryOn(1, on)).onFailure(Failure.REFUSED)).isEqualTo(refused);
    }

    @ParameterizedTest
    @EnumSource(names = {"CANCELLED", "TIMEOUT"})
    void onceTheAppHasGivenUpNothingIsTriedAgain(Failure failure) {
        assertThat(dialled(retryOn(5, On.values())).onFailure(failure)).isFalse();
    }

    @Test
    void withoutAPolicyNothingIsTriedAgain() {
        Fixture mesh = Fixture.with(snapshot().routes(host("orders", to("orders"))).cluster("orders", 1, 2));

        assertThat(mesh.dialled(Request.get("orders", "/")).onFailure(Failure.CONNECT)).isFalse();
        assertThat(mesh.dialled(Request.get("orders", "/")).onResponse(503, Fixture.NO_HEADERS)).isFalse();
    }

    @Test
    void aVirtualHostsPolicyIsForItsRoutes() {
        VirtualHost host = new VirtualHost(
                "orders",
                List.of("orders"),
                List.of(to("orders")),
                false,
                AttemptCount.NOWHERE,
                Resending.of(retryOn(1, On.CONNECT_FAILURE)),
                HeaderChanges.NONE,
                FilterOverrides.NONE);
        Fixture mesh = Fixture.with(snapshot().routes(host).cluster("orders", 1, 2));

        assertThat(mesh.dialled(Request.get("orders", "/")).onFailure(Failure.CONNECT)).isTrue();
    }

    @Test
    void aRequestIsTriedAsOftenAsThePolicySays() {
        Request request = dialled(retryOn(2, On.SERVER_ERROR_5XX));

        assertThat(request.onResponse(500, Fixture.NO_HEADERS)).isTrue();
        assertThat(request.next()).isEqualTo(Step.DIAL);
        assertThat(request.onFailure(Failure.RESET)).isTrue();
        assertThat(request.next()).isEqualTo(Step.DIAL);
        assertThat(request.onResponse(500, Fixture.NO_HEADERS)).isFalse();
    }

    @Test
    void aResponseThatWasDeliveredIsNotTriedAgain() {
        Request request = dialled(retryOn(2, On.values()));

        assertThat(request.onResponse(200, Fixture.NO_HEADERS)).isFalse();
        assertThat(request.onFailure(Failure.RESET)).isFalse();
    }

    @Test
    void aBodyThatIsGivenOnceIsNotSentAgain() {
        RetryPolicy policy = retryOn(2, On.values());
        Fixture mesh = mesh(policy, endpoint(1), endpoint(2));

        Request connect = mesh.dialled(Request.get("orders", "/").with(Replay.ONE_SHOT));
        assertThat(connect.onFailure(Failure.CONNECT)).as("nothing of it was sent").isTrue();
        connect.next();
        assertThat(connect.onFailure(Failure.RESET)).isFalse();
        assertThat(mesh.dialled(Request.get("orders", "/").with(Replay.ONE_SHOT)).onFailure(Failure.REFUSED)).isFalse();
        assertThat(mesh.dialled(Request.get("orders", "/").with(Replay.ONE_SHOT)).onResponse(503, Fixture.NO_HEADERS)).isFalse();
        assertThat(mesh.dialled(Request.get("orders", "/").with(Replay.REPEATABLE)).onFailure(Failure.RESET)).isTrue();
    }

    @Test
    void aPolicyMayBeForSomeRequestsOnly() {
        HeaderMatch isGet = new HeaderMatch(":method", new HeaderMatch.Value(new StringMatch.Exact("GET", false)), false, false);
        HeaderMatch marked = new HeaderMatch("x-retry", new HeaderMatch.Present(true), false, false);
        RetryPolicy policy = retry(1, new Conditions(Set.of(On.RESET), Set.of(), List.of(), List.of(isGet, marked)));
        Fixture mesh = mesh(policy, endpoint(1), endpoint(2));

        assertThat(mesh.dialled(new Request("GET", "orders", "/")).onFailure(Failure.RESET)).isTrue();
        assertThat(mesh.dialled(new Request("PUT", "orders", "/")).onFailure(Failure.RESET)).isFalse();
        assertThat(mesh.dialled(new Request("PUT", "orders", "/").with("x-retry", "")).onFailure(Failure.RESET)).isTrue();
    }

    @Test
    void anEndpointThatCouldNotBeConnectedToIsAvoided() {
        Fixture mesh = mesh(retryOn(3, On.CONNECT_FAILURE), endpoint(1), endpoint(2), endpoint(3), endpoint(4));
        for (int i = 0; i < 50; i++) {
            Request request = mesh.dialled(Request.get("orders", "/"));
            Set<Integer> tried = new HashSet<>(Set.of(Fixture.port(request)));
            while (request.onFailure(Failure.CONNECT)) {
                request.next();
                assertThat(tried.add(Fixture.port(request))).isTrue();
                // Others move the round robin on, so that it comes by the dead one.
                mesh.spread("orders", i % 4);
            }
            assertThat(tried).hasSize(4);
        }
    }

    @Test
    void anEndpointThatCouldNotBeConnectedToStaysAvoidedAfterAnotherFailure() {
        Fixture mesh = mesh(retryOn(2, On.SERVER_ERROR_5XX), endpoint(1), endpoint(2));
        for (int i = 0; i < 20; i++) {
            Request request = mesh.dialled(Request.get("orders", "/"));
            int dead = Fixture.port(request);
            request.onFailure(Failure.CONNECT);
            request.next();
            request.onResponse(503, Fixture.NO_HEADERS);
            request.next();
            assertThat(Fixture.port(request)).isNotEqualTo(dead);
            request.end();
            mesh.spread("orders", i % 2);
        }
    }

    @Test
    void theOnlyEndpointIsTriedAgain() {
        Request request = mesh(retryOn(1, On.CONNECT_FAILURE), endpoint(1)).dialled(Request.get("orders", "/"));

        assertThat(request.onFailure(Failure.CONNECT)).isTrue();
        assertThat(request.next()).isEqualTo(Step.DIAL);
        assertThat(Fixture.port(request)).isEqualTo(1);
    }

    @Test
    void previousHostsAreAvoidedAsOftenAsThePolicySays() {
        RetryPolicy policy = retry(1, Conditions.on(On.SERVER_ERROR_5XX), new HostSelection(true, false, List.of(), 5));
        Fixture mesh = mesh(policy, endpoint(1), endpoint(2));
        for (int i = 0; i < 50; i++) {
            Request request = mesh.dialled(Request.get("orders", "/"));
            int first = Fixture.port(request);
            mesh.spread("orders", i % 3);
            request.onResponse(503, Fixture.NO_HEADERS);
            request.next();
            assertThat(Fixture.port(request)).isNotEqualTo(first);
            request.end();
        }
    }

    private static LbEndpoint labelled(int port, Map<String, Object> labels) {
        return new LbEndpoint(new HostPort("127.0.0.1", port), "", 1, Health.HEALTHY, labels, Map.of());
    }

    private static void assertRetriesAvoid(int port, HostSelection selection, LbEndpoint... endpoints) {
        Fixture mesh = mesh(retry(1, Conditions.on(On.SERVER_ERROR_5XX), selection), endpoints);
        boolean first = false;
        for (int i = 0; i < 50; i++) {
            Request request = mesh.dialled(Request.get("orders", "/"));
            first |= Fixture.port(request) == port;
            mesh.spread("orders", i % 3);
            request.onResponse(503, Fixture.NO_HEADERS);
            request.next();
            assertThat(Fixture.port(request)).isNotEqualTo(port);
            request.end();
        }
        assertThat(first).as("it is for retries only").isTrue();
    }

    @Test
    void retriesMayAvoidCanariesAndLabels() {
        assertRetriesAvoid(1, new HostSelection(false, true, List.of(), 5), labelled(1, Map.of("canary", true)), endpoint(2));
        assertRetriesAvoid(
                1,
                new HostSelection(false, false, List.of(Map.of("stage", "new", "zone", "a")), 5),
                labelled(1, Map.of("stage", List.of("newest", "new"), "zone", "a")),
                labelled(2, Map.of("stage", "new")));
    }

    @Test
    void theBackOffIsFullyJitteredAndDoublesUpToTheMaximum() {
        Fixture mesh = mesh(retryOn(6, On.SERVER_ERROR_5XX), endpoint(1), endpoint(2));
        long[] longest = new long[6];
        long[] shortest = new long[] {Long.MAX_VALUE, Long.MAX_VALUE, Long.MAX_VALUE, Long.MAX_VALUE, Long.MAX_VALUE, Long.MAX_VALUE};
        for (int i = 0; i < 400; i++) {
            Request request = mesh.dialled(Request.get("orders", "/"));
            for (int retry = 0; request.onResponse(500, Fixture.NO_HEADERS); retry++) {
                longest[retry] = Math.max(longest[retry], request.backoffNanos());
                shortest[retry] = Math.min(shortest[retry], request.backoffNanos());
                request.next();
            }
        }

        int[] limitMillis = {25, 50, 100, 200, 250, 250};
        for (int retry = 0; retry < limitMillis.length; retry++) {
            long limit = Duration.ofMillis(limitMillis[retry]).toNanos();
            assertThat(longest[retry]).isBetween(limit * 9 / 10, limit - 1);
            assertThat(shortest[retry]).isBetween(0L, limit / 10);
        }
    }

    @Test
    void onlySoManyRetriesRunAtOnce() {
        CircuitBreakers oneRetry = limits(1024, 1024, 1024, 1);
        Fixture mesh = Fixture.with(snapshot()
                .routes(host("orders", route(any(), forward("orders", retryOn(9, On.SERVER_ERROR_5XX), Duration.ZERO))))
                .cluster(cluster("orders").with(oneRetry), endpoint(1), endpoint(2)));
        Request first = mesh.dialled(Request.get("orders", "/"));
        assertThat(first.onResponse(500, Fixture.NO_HEADERS)).isTrue();

        Request second = mesh.dialled(Request.get("orders", "/"));
        assertThat(second.onResponse(500, Fixture.NO_HEADERS)).as("while the first waits").isFalse();
        second.end();
        first.next();
        Request third = mesh.dialled(Request.get("orders", "/"));
        assertThat(third.onResponse(500, Fixture.NO_HEADERS)).as("while the first is under way").isFalse();
        third.end();

        assertThat(first.onResponse(500, Fixture.NO_HEADERS)).as("its own place is free for its next retry").isTrue();
        first.next();
        first.onResponse(200, Fixture.NO_HEADERS);
        Request fourth = mesh.dialled(Request.get("orders", "/"));
        assertThat(fourth.onResponse(500, Fixture.NO_HEADERS)).as("the first has its response").isTrue();
        fourth.end();
        assertThat(mesh.dialled(Request.get("orders", "/")).onResponse(500, Fixture.NO_HEADERS))
                .as("the fourth was given up before its retry")
                .isTrue();
    }
}
