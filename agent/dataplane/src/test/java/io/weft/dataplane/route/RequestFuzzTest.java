package io.weft.dataplane.route;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import com.google.protobuf.ByteString;
import io.weft.dataplane.CookieHeader;
import io.weft.dataplane.IpAddress;
import io.weft.dataplane.match.PercentDecoder;
import io.weft.policy.model.PathNormalization;
import io.weft.policy.model.PathNormalization.EscapedSlashes;
import io.weft.policy.model.RouteConfiguration;
import io.weft.policy.parse.ParseOutcome;
import io.weft.policy.parse.ParseOutcome.Accepted;
import io.weft.policy.parse.RawResource;
import io.weft.policy.parse.ResourceParser;
import io.weft.policy.parse.ResourceType;
import io.weft.policy.proto.envoy.config.route.v3.Route;
import io.weft.policy.proto.envoy.config.route.v3.RouteAction;
import io.weft.policy.proto.envoy.config.route.v3.RouteMatch;
import io.weft.policy.proto.envoy.config.route.v3.VirtualHost;
import io.weft.policy.proto.envoy.type.matcher.v3.RegexMatcher;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Whatever a client sends is matched or not: nothing is thrown, nothing hangs, and no regular expression that a policy may hold
 * takes longer than in proportion to the text. The fuzzer goes on looking with {@code JAZZER_FUZZ=1}, one method at a time.
 */
class RequestFuzzTest {
    private static final String ALPHABET = "aAbz09/\\.%2Ff5Cc;=&?#:@[]()*+|{},^$ -\"'\t\u00e9\u0000";

    @FuzzTest(maxDuration = "10m")
    void pathsAndHeaders(FuzzedDataProvider data) {
        read(data.consumeString(200), data.consumeRemainingAsString());
    }

    @FuzzTest(maxDuration = "10m")
    void regularExpressions(FuzzedDataProvider data) {
        match(data.consumeString(200), data.consumeRemainingAsString());
    }

    @Test
    @Timeout(120)
    void severalThousandOfEach() {
        Random random = new Random(23);
        for (int i = 0; i < 20_000; i++) {
            read(text(random, 60), text(random, 30));
        }
        for (int i = 0; i < 3_000; i++) {
            match(text(random, 20), text(random, 200));
        }
    }

    /** What makes a backtracking engine take for ever. */
    @Test
    @Timeout(60)
    void aRegularExpressionOfAPolicyCannotStallARequest() {
        for (String regex : new String[] {"(a+)+$", "(a|aa)+$", "(.*)*b", "(a?){50}a{50}", "([a-z]+)*1", "(x+x+)+y"}) {
            match(regex, "/" + "a".repeat(2_000));
            match(regex, "/" + "x".repeat(2_000));
        }
    }

    private static String text(Random random, int most) {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(most + 1); i > 0; i--) {
            text.append(ALPHABET.charAt(random.nextInt(ALPHABET.length())));
        }
        return text.toString();
    }

    private static void read(String target, String name) {
        for (EscapedSlashes slashes : EscapedSlashes.values()) {
            PathNormalizer normalizer = new PathNormalizer(new PathNormalization(true, true, slashes));
            String path = "/" + target;
            if (!normalizer.keeps(path)) {
                PathNormalizer.Outcome outcome = normalizer.normalize(path, false);
                assertThat(outcome.reply() != null || outcome.target() != null).isTrue();
                if (outcome.target() != null) {
                    assertThat(normalizer.normalize(outcome.target(), false).target()).as("of %s", path).isEqualTo(outcome.target());
                }
            }
        }
        assertThat(PercentDecoder.decode(target)).isNotNull();
        long found = CookieHeader.find(target, name);
        if (found >= 0) {
            assertThat(CookieHeader.from(found)).isBetween(0, CookieHeader.to(found));
            assertThat(CookieHeader.to(found)).isLessThanOrEqualTo(target.length());
        }
        if (IpAddress.isLiteral(target)) {
            IpAddress.parse(target);
        }
        assertThat(Authority.port(target, Authority.portStart(target), 80)).isBetween(-1, 0xffff);
        assertThat(PathTest.end(target)).isBetween(0, target.length());
    }

    private static void match(String regex, String text) {
        var routes = io.weft.policy.proto.envoy.config.route.v3.RouteConfiguration.newBuilder()
                .setName("80")
                .addVirtualHosts(VirtualHost.newBuilder().setName("any").addDomains("*").addRoutes(Route.newBuilder()
                        .setMatch(RouteMatch.newBuilder().setSafeRegex(RegexMatcher.newBuilder().setRegex(regex)))
                        .setRoute(RouteAction.newBuilder().setCluster("c"))))
                .build();
        ParseOutcome outcome = ResourceParser.parse(
                new RawResource(ResourceType.ROUTES, "80", "1", ByteString.copyFrom(routes.toByteArray())));
        if (outcome instanceof Accepted accepted) {
            var match = ((RouteConfiguration) accepted.resource()).virtualHosts().get(0).routes().get(0).match();
            PathTest.of(match.path(), true).matches(text);
        }
    }
}
