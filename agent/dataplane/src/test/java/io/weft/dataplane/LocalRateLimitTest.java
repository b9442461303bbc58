package io.weft.dataplane;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.weft.dataplane.InboundExchange.Step;
import io.weft.policy.model.DescriptorLimits;
import io.weft.policy.model.FilterOverrides;
import io.weft.policy.model.Format;
import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.HeaderChanges.Action;
import io.weft.policy.model.HeaderChanges.Addition;
import io.weft.policy.model.HttpFilter;
import io.weft.policy.model.HttpFilter.LocalRateLimit;
import io.weft.policy.model.HttpFilter.RateLimited;
import io.weft.policy.model.RouteMatch.Fraction;
import io.weft.policy.model.TokenBucket;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Tokens, what is said to who gets none, and on what level a bucket stands. */
class LocalRateLimitTest {
    private static final Fraction ALL = new Fraction(100, 100);
    private static final TokenBucket FIVE_IN_TEN_SECONDS = new TokenBucket(5, 5, Duration.ofSeconds(10));
    private static final HeaderChanges HEADERS = new HeaderChanges(
            List.of(new Addition("x-over", Format.of("yes"), Action.OVERWRITE_IF_EXISTS_OR_ADD, false)),
            List.of(),
            List.of(new Addition("x-limited", Format.of("true"), Action.OVERWRITE_IF_EXISTS_OR_ADD, false)),
            List.of());

    private static LocalRateLimit limit(TokenBucket bucket, Fraction enabled, Fraction enforced) {
        return new LocalRateLimit(Optional.of(bucket), enabled, enforced, false, new RateLimited(423, HEADERS, false, false), DescriptorLimits.NONE);
    }

    private static int passed(Served served, int requests) {
        int passed = 0;
        for (int i = 0; i < requests; i++) {
            passed += served.serve(Incoming.get("/")) == 200 ? 1 : 0;
        }
        return passed;
    }

    @Test
    void aFullBucketIsEmptiedAndFillsEvenly() {
        Served served = Served.with(limit(FIVE_IN_TEN_SECONDS, ALL, ALL));
        assertThat(passed(served, 10)).isEqualTo(5);
        served.mesh.time.advance(Duration.ofMillis(1_999));
        assertThat(passed(served, 3)).isZero();
        served.mesh.time.advance(Duration.ofMillis(1));
        assertThat(passed(served, 3)).isEqualTo(1);
        served.mesh.time.advance(Duration.ofHours(1));
        assertThat(passed(served, 10)).isEqualTo(5);
    }

    @Test
    void aRefusalHasTheStatusAndTheHeaders() {
        Served served = Served.with(limit(new TokenBucket(1, 1, Duration.ofHours(1)), ALL, ALL));
        assertThat(passed(served, 1)).isEqualTo(1);
        Incoming refused = served.enter(Incoming.get("/"));
        assertThat(refused.next()).isEqualTo(Step.REPLY);
        assertThat(refused.reply().status()).isEqualTo(423);
        assertThat(refused.reply().header("x-limited")).isEqualTo("true");
        assertThat(new String(refused.reply().body(), StandardCharsets.UTF_8)).isEqualTo("local_rate_limited");
    }

    @Test
    void whatIsNotEnforcedPassesWithTheHeadersThatSaySo() {
        Served served = Served.with(limit(new TokenBucket(1, 1, Duration.ofHours(1)), ALL, new Fraction(0, 100)));
        assertThat(passed(served, 1)).isEqualTo(1);
        Incoming passes = served.enter(Incoming.get("/"));
        assertThat(passes.next()).isEqualTo(Step.PROCEED);
        assertThat(passes.requestChanges().set()).containsExactly(Map.entry("x-over", "yes"));
    }

    @Test
    void onlyTheEnabledShareTakesTokens() {
        Served served = Served.with(limit(new TokenBucket(1, 1, Duration.ofHours(1)), new Fraction(30, 100), ALL));
        assertThat(passed(served, 10_000) / 10_000.0).isCloseTo(0.7, within(0.02));
    }

    @Test
    void theBucketOfARouteIsItsOwnAndOutlivesAPolicyThatDoesNotChangeIt() {
        LocalRateLimit none = new LocalRateLimit(
                Optional.empty(), ALL, ALL, false, new RateLimited(429, HeaderChanges.NONE, false, false), DescriptorLimits.NONE);
        LocalRateLimit limit = limit(new TokenBucket(2, 1, Duration.ofHours(1)), ALL, ALL);
        FilterOverrides override = new FilterOverrides(Map.of("f", new FilterOverrides.Configured(limit)));
        Served served = Served.with(none, limit);
        assertThat(passed(served, 1)).isEqualTo(1);

        served.mesh.apply(Served.policy(none, override).cluster("other", 1));
        assertThat(passed(served, 5)).isEqualTo(1);

        served.mesh.apply(Served.policy(none, new FilterOverrides(Map.of("f", new FilterOverrides.Configured(
                limit(new TokenBucket(3, 1, Duration.ofHours(1)), ALL, ALL))))));
        assertThat(passed(served, 5)).isEqualTo(3);
    }

    @Test
    void eachConnectionMayHaveItsOwn() {
        Served served = Served.with(new LocalRateLimit(
                Optional.of(new TokenBucket(1, 1, Duration.ofHours(1))), ALL, ALL, true,
                new RateLimited(429, HeaderChanges.NONE, false, false), DescriptorLimits.NONE));
        for (int port : new int[] {40_000, 40_001}) {
            Connection connection = new Connection(
                    new InetSocketAddress("127.0.0.1", 8080), new InetSocketAddress("127.0.0.1", port), "", null);
            assertThat(served.serve(Incoming.get("/").over(connection))).isEqualTo(200);
            assertThat(served.serve(Incoming.get("/").over(connection))).isEqualTo(429);
        }
    }

    @Test
    void everyResponseSaysWhatIsLeft() {
        Served served = Served.with(new LocalRateLimit(
                Optional.of(FIVE_IN_TEN_SECONDS), ALL, ALL, false,
                new RateLimited(429, HeaderChanges.NONE, true, false), DescriptorLimits.NONE));
        Incoming request = served.enter(Incoming.get("/"));
        request.next();
        request.onResponse(200, Fixture.NO_HEADERS);
        HeaderOverlay response = new HeaderOverlay(name -> null);
        response.apply(request.responseChanges());
        assertThat(response.header("x-ratelimit-limit")).isEqualTo("5");
        assertThat(response.header("x-ratelimit-remaining")).isEqualTo("4");
        assertThat(response.header("x-ratelimit-reset")).isEqualTo("0");

        passed(served, 4);
        Incoming refused = served.enter(Incoming.get("/"));
        refused.next();
        assertThat(refused.reply().header("x-ratelimit-remaining")).isEqualTo("0");
        assertThat(refused.reply().header("x-ratelimit-reset")).isEqualTo("2");
    }

    @Test
    void aGrpcCallerIsToldInItsOwnTerms() {
        HttpFilter limit = new LocalRateLimit(
                Optional.of(new TokenBucket(1, 1, Duration.ofHours(1))), ALL, ALL, false,
                new RateLimited(429, HeaderChanges.NONE, false, true), DescriptorLimits.NONE);
        Served served = Served.with(limit);
        passed(served, 1);
        Incoming refused = served.enter(new Incoming("POST", "/").with("content-type", "application/grpc"));
        refused.next();
        assertThat(refused.reply().status()).isEqualTo(200);
        assertThat(refused.reply().header("grpc-status")).isEqualTo("8");
    }

    @Test
    void threadsThatRaceTakeNoTokenTwice() {
        Served served = Served.with(limit(new TokenBucket(1_000, 1, Duration.ofHours(1)), ALL, ALL));
        AtomicInteger passed = new AtomicInteger();
        CompletableFuture<?>[] racers = IntStream.range(0, 4)
                .mapToObj(i -> CompletableFuture.runAsync(() -> passed.addAndGet(passed(served, 1_000))))
                .toArray(CompletableFuture[]::new);
        CompletableFuture.allOf(racers).join();
        assertThat(passed.get()).isEqualTo(1_000);
    }
}
