package io.weft.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.policy.model.DescriptorLimits;
import io.weft.policy.model.DescriptorLimits.Bucket;
import io.weft.policy.model.DescriptorLimits.OfRoutes;
import io.weft.policy.model.DescriptorLimits.VirtualHosts;
import io.weft.policy.model.FilterOverrides;
import io.weft.policy.model.FilterOverrides.RateLimits;
import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.HeaderMatch;
import io.weft.policy.model.HttpFilter;
import io.weft.policy.model.HttpFilter.Conditional;
import io.weft.policy.model.HttpFilter.LocalRateLimit;
import io.weft.policy.model.HttpFilter.RateLimited;
import io.weft.policy.model.MatchTree;
import io.weft.policy.model.QueryMatch;
import io.weft.policy.model.RateLimit;
import io.weft.policy.model.RateLimit.Action;
import io.weft.policy.model.RateLimit.DestinationCluster;
import io.weft.policy.model.RateLimit.Entry;
import io.weft.policy.model.RateLimit.GenericKey;
import io.weft.policy.model.RateLimit.HeaderValueMatch;
import io.weft.policy.model.RateLimit.MaskedRemoteAddress;
import io.weft.policy.model.RateLimit.QueryParameter;
import io.weft.policy.model.RateLimit.QueryParameterValueMatch;
import io.weft.policy.model.RateLimit.RemoteAddress;
import io.weft.policy.model.RateLimit.RequestHeader;
import io.weft.policy.model.RouteMatch.Fraction;
import io.weft.policy.model.TokenBucket;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** Local rate limits of requests that have a descriptor. */
class DescriptorLimitTest {
    private static final Fraction ALL = new Fraction(100, 100);
    private static final RequestHeader TENANT = new RequestHeader("x-tenant", "tenant", false);

    private static TokenBucket tokens(int most) {
        return new TokenBucket(most, 1, Duration.ofHours(1));
    }

    private static Bucket bucket(int most, String... keysAndValues) {
        Entry[] entries = new Entry[keysAndValues.length / 2];
        for (int i = 0; i < entries.length; i++) {
            entries[i] = new Entry(keysAndValues[2 * i], keysAndValues[2 * i + 1]);
        }
        return new Bucket(List.of(entries), tokens(most));
    }

    private static RateLimit descriptor(Action... actions) {
        return new RateLimit(0, List.of(actions), 1);
    }

    private static LocalRateLimit limit(int common, DescriptorLimits descriptors) {
        return new LocalRateLimit(
                Optional.of(tokens(common)), ALL, ALL, false, new RateLimited(429, HeaderChanges.NONE, true, false), descriptors);
    }

    private static DescriptorLimits descriptors(List<Bucket> buckets, RateLimit... own) {
        return new DescriptorLimits(buckets, List.of(own), new OfRoutes(0, VirtualHosts.OVERRIDE), true, 20);
    }

    private static Served served(int common, List<Bucket> buckets, RateLimit... own) {
        return Served.with(limit(common, descriptors(buckets, own)));
    }

    private static Incoming of(String tenant) {
        return Incoming.get("/").with("x-tenant", tenant);
    }

    private static int passed(Served served, int requests, Supplier<Incoming> request) {
        int passed = 0;
        for (int i = 0; i < requests; i++) {
            passed += served.serve(request.get()) == 200 ? 1 : 0;
        }
        return passed;
    }

    @Test
    void aDescriptorHasABucketOfItsOwnAndTakesOfTheCommonOneToo() {
        Served served = served(5, List.of(bucket(2, "tenant", "blue")), descriptor(TENANT));
        assertThat(passed(served, 4, () -> of("blue"))).isEqualTo(2);
        assertThat(passed(served, 9, () -> of("green"))).as("blue has taken two").isEqualTo(3);
        assertThat(passed(served, 1, () -> Incoming.get("/"))).isZero();
    }

    @Test
    void theCommonBucketMayBeLeftToTheOthers() {
        Served served = Served.with(limit(1, new DescriptorLimits(
                List.of(bucket(2, "tenant", "blue")), List.of(descriptor(TENANT)), new OfRoutes(0, VirtualHosts.OVERRIDE), false, 20)));
        assertThat(passed(served, 4, () -> of("blue"))).isEqualTo(2);
        assertThat(passed(served, 4, () -> of("green"))).isEqualTo(1);
    }

    @Test
    void whoGetsNothingOfTheSlowestBucketTakesNothingOfTheOthers() {
        Bucket fast = new Bucket(List.of(new Entry("tenant", "blue")), new TokenBucket(3, 1, Duration.ofMinutes(1)));
        Served served = served(9, List.of(fast, bucket(1, "k", "v")), descriptor(TENANT), descriptor(new GenericKey(new Entry("k", "v"))));
        assertThat(passed(served, 5, () -> of("blue"))).isEqualTo(1);
        Incoming refused = served.enter(of("blue"));
        refused.next();
        assertThat(refused.reply().header("x-ratelimit-limit")).isEqualTo("1");

        served.mesh.time.advance(Duration.ofHours(1));
        Incoming passes = served.enter(of("blue"));
        passes.next();
        passes.onResponse(200, Fixture.NO_HEADERS);
        HeaderOverlay response = new HeaderOverlay(name -> null);
        response.apply(passes.responseChanges());
        assertThat(response.header("x-ratelimit-limit")).as("the slowest one's").isEqualTo("1");
    }

    @Test
    void aDescriptorHasAllOfItsEntriesInTheirOrder() {
        RateLimit both = descriptor(new GenericKey(new Entry("k", "v")), TENANT);
        assertThat(passed(served(9, List.of(bucket(1, "k", "v", "tenant", "blue")), both), 3, () -> of("blue"))).isEqualTo(1);
        assertThat(passed(served(9, List.of(bucket(1, "tenant", "blue", "k", "v")), both), 3, () -> of("blue"))).isEqualTo(3);
        assertThat(passed(served(9, List.of(bucket(1, "k", "v")), both), 3, () -> of("blue"))).isEqualTo(3);
        assertThat(passed(served(9, List.of(bucket(1, "k", "v")), both), 3, () -> Incoming.get("/"))).as("no header").isEqualTo(3);

        RateLimit header = descriptor(new GenericKey(new Entry("k", "v")), new RequestHeader("x-tenant", "tenant", true));
        assertThat(passed(served(9, List.of(bucket(1, "k", "v")), header), 3, () -> Incoming.get("/"))).as("skipped").isEqualTo(1);
    }

    @Test
    void actionsSayWhatTheySayInEnvoy() {
        Entry entry = new Entry("k", "v");
        List<Bucket> one = List.of(bucket(1, "k", "v"));
        List<HeaderMatch> present = List.of(new HeaderMatch("x-tenant", new HeaderMatch.Present(true), false, false));
        assertThat(passed(served(9, one, descriptor(new HeaderValueMatch(entry, present, true))), 3, () -> of("a"))).isEqualTo(1);
        assertThat(passed(served(9, one, descriptor(new HeaderValueMatch(entry, present, false))), 3, () -> of("a"))).isEqualTo(3);

        List<QueryMatch> query = List.of(new QueryMatch("q", Optional.empty()));
        Served asked = served(9, one, descriptor(new QueryParameterValueMatch(entry, query, true)));
        assertThat(passed(asked, 3, () -> Incoming.get("/?q=1"))).isEqualTo(1);
        assertThat(passed(asked, 3, () -> Incoming.get("/"))).isEqualTo(3);

        assertThat(passed(served(9, one, descriptor(new QueryParameterValueMatch(entry, query, true))), 3, () -> Incoming.get("/?%71"))).isEqualTo(1);

        RateLimit parameter = descriptor(new QueryParameter("q", "k", false));
        assertThat(passed(served(9, one, parameter), 3, () -> Incoming.get("/?q=%76&q=w"))).isEqualTo(1);
        assertThat(passed(served(9, one, parameter), 3, () -> Incoming.get("/?q=w"))).isEqualTo(3);

        Served cluster = served(9, List.of(bucket(1, "destination_cluster", "local")), descriptor(new DestinationCluster()));
        assertThat(passed(cluster, 3, () -> Incoming.get("/"))).isEqualTo(1);

        Connection connection = new Connection(
                new InetSocketAddress("127.0.0.1", 8080), new InetSocketAddress("10.1.2.3", 40_000), "", null);
        Served caller = served(9, List.of(bucket(1, "remote_address", "10.1.2.3")), descriptor(new RemoteAddress()));
        assertThat(passed(caller, 3, () -> Incoming.get("/").over(connection))).isEqualTo(1);

        Served network = served(9, List.of(bucket(1, "masked_remote_address", "10.1.0.0/20")), descriptor(new MaskedRemoteAddress(20, 64)));
        assertThat(passed(network, 3, () -> Incoming.get("/").over(connection))).isEqualTo(1);
        assertThat(IpAddress.parse("fd00:1:2:3:4::5").network(49)).hasToString("fd00:1:2::");
        assertThat(IpAddress.parse("fd00::ffff:ffff").network(112)).hasToString("fd00::ffff:0");
        assertThat(IpAddress.parse("1.2.3.4").network(0)).hasToString("0.0.0.0");
        assertThat(IpAddress.parse("1.2.3.4").network(32)).hasToString("1.2.3.4");
    }

    @Test
    void aRequestMayTakeSeveralTokensAtOnce() {
        RateLimit three = new RateLimit(0, List.of(TENANT), 3);
        Served served = served(9, List.of(bucket(7, "tenant", "blue")), three);
        assertThat(passed(served, 5, () -> of("blue"))).isEqualTo(2);
        served.mesh.time.advance(Duration.ofHours(1));
        assertThat(passed(served, 5, () -> of("blue"))).as("one left and one come").isZero();
        served.mesh.time.advance(Duration.ofHours(1));
        assertThat(passed(served, 5, () -> of("blue"))).isEqualTo(1);
        assertThat(passed(served(9, List.of(bucket(2, "tenant", "blue")), three), 5, () -> of("blue"))).as("more than there ever are").isZero();
    }

    @Test
    void eachValueThatFitsAWildcardHasABucketOfItsOwn() {
        Served served = served(99, List.of(bucket(2, "tenant", ""), bucket(1, "tenant", "blue")), descriptor(TENANT));
        assertThat(passed(served, 5, () -> of("green"))).isEqualTo(2);
        assertThat(passed(served, 5, () -> of("red"))).isEqualTo(2);
        assertThat(passed(served, 5, () -> of("blue"))).as("what is named counts").isEqualTo(1);
        assertThat(passed(served, 5, () -> Incoming.get("/"))).isEqualTo(5);

        RateLimit both = descriptor(new GenericKey(new Entry("k", "v")), TENANT);
        assertThat(passed(served(99, List.of(bucket(1, "k", "v", "tenant", "")), both), 5, () -> of("a"))).isEqualTo(1);
        assertThat(passed(served(99, List.of(bucket(1, "k", "w", "tenant", "")), both), 5, () -> of("a"))).isEqualTo(5);
        assertThat(passed(served(99, List.of(bucket(1, "k", "")), both), 5, () -> of("a"))).isEqualTo(5);
    }

    @Test
    void ofValuesWithoutEndTheLatestAreKept() {
        Served served = Served.with(limit(999, new DescriptorLimits(
                List.of(bucket(1, "tenant", "")), List.of(descriptor(TENANT)), new OfRoutes(0, VirtualHosts.OVERRIDE), true, 3)));
        for (String tenant : List.of("a", "b", "c")) {
            assertThat(passed(served, 2, () -> of(tenant))).isEqualTo(1);
        }
        assertThat(passed(served, 1, () -> of("a"))).as("used again").isZero();
        assertThat(passed(served, 1, () -> of("d"))).as("in place of b").isEqualTo(1);
        assertThat(passed(served, 1, () -> of("a"))).isZero();
        assertThat(passed(served, 1, () -> of("c"))).isZero();
        assertThat(passed(served, 1, () -> of("b"))).as("as new").isEqualTo(1);
    }

    @Test
    void withoutACommonBucketOnlyDescriptorsAreLimited() {
        Served served = Served.with(new LocalRateLimit(
                Optional.empty(), ALL, ALL, false, new RateLimited(429, HeaderChanges.NONE, true, false),
                descriptors(List.of(bucket(2, "tenant", "blue")), descriptor(TENANT))));
        assertThat(passed(served, 5, () -> of("blue"))).isEqualTo(2);
        assertThat(passed(served, 5, () -> of("green"))).isEqualTo(5);
    }

    @Test
    void aRouteSaysWhichDescriptorsItsRequestsHave() {
        LocalRateLimit limit = limit(9, descriptors(List.of(bucket(1, "tenant", "blue"))));
        FilterOverrides route = FilterOverrides.NONE.with(new RateLimits(List.of(descriptor(TENANT)), false));
        Served served = Served.with(limit, route);
        assertThat(passed(served, 3, () -> of("blue"))).isEqualTo(1);
        served.mesh.apply(Served.policy(limit, FilterOverrides.NONE));
        assertThat(passed(served, 3, () -> of("blue"))).as("nothing says so").isEqualTo(3);
        served.mesh.apply(Served.policy(limit, route));
        assertThat(passed(served, 3, () -> of("blue"))).as("it is the same bucket").isZero();

        HttpFilter behindMatcher = new Conditional(new MatchTree<>(Optional.empty(), Optional.empty()), limit);
        assertThat(passed(Served.with(behindMatcher, route), 3, () -> of("blue"))).isEqualTo(1);
    }
}
