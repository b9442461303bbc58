package io.weft.dataplane;

import static io.weft.dataplane.Policies.any;
import static io.weft.dataplane.Policies.forward;
import static io.weft.dataplane.Policies.host;
import static io.weft.dataplane.Policies.match;
import static io.weft.dataplane.Policies.route;
import static io.weft.dataplane.Policies.snapshot;
import static io.weft.dataplane.Policies.to;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.weft.policy.model.HeaderMatch;
import io.weft.policy.model.HeaderMatch.Present;
import io.weft.policy.model.HeaderMatch.Range;
import io.weft.policy.model.HeaderMatch.Value;
import io.weft.policy.model.QueryMatch;
import io.weft.policy.model.RouteAction;
import io.weft.policy.model.RouteMatch;
import io.weft.policy.model.RouteMatch.Exact;
import io.weft.policy.model.RouteMatch.Fraction;
import io.weft.policy.model.RouteMatch.PathMatch;
import io.weft.policy.model.RouteMatch.Prefix;
import io.weft.policy.model.RouteMatch.Regex;
import io.weft.policy.model.RouteMatch.SeparatedPrefix;
import io.weft.policy.model.StringMatch;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RouteMatchingTest {
    private static final int MATCHED = 1;
    private static final int OTHER = 2;

    /** A mesh with a route for what matches and a second one for all the rest. */
    private static Fixture mesh(RouteMatch match) {
        return Fixture.with(snapshot()
                .routes(host("orders", route(match, forward("matched")), to("other")))
                .cluster("matched", MATCHED)
                .cluster("other", OTHER));
    }

    private static boolean matches(RouteMatch match, Request request) {
        Fixture mesh = mesh(match);
        mesh.dialled(request).end();
        return Fixture.port(request) == MATCHED;
    }

    private static boolean pathMatches(PathMatch path, boolean caseSensitive, String target) {
        return matches(
                new RouteMatch(path, caseSensitive, List.of(), List.of(), Optional.empty(), false),
                Request.get("orders", target));
    }

    @ParameterizedTest
    @CsvSource({"/, true", "/a, true", "/a/b?c, true"})
    void everyPath(String target, boolean expected) {
        assertThat(pathMatches(new Prefix("/"), true, target)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({"/api, true", "/apis/x, true", "/api?x=/, true", "/API, false", "/ap, false", "/x/api, false"})
    void prefix(String target, boolean expected) {
        assertThat(pathMatches(new Prefix("/api"), true, target)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({"/api, true", "/api?x=1, true", "/api#x, true", "/api/, false", "/apis, false", "/Api, false"})
    void exact(String target, boolean expected) {
        assertThat(pathMatches(new Exact("/api"), true, target)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({"/api, true", "/api/, true", "/api/x, true", "/api?x, true", "/apis, false", "/ap, false"})
    void separatedPrefix(String target, boolean expected) {
        assertThat(pathMatches(new SeparatedPrefix("/api"), true, target)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({"/v1/orders, true", "/v12/orders?x=1, true", "/v1/orders/7, false", "/x/v1/orders, false", "/v1/ORDERS, false"})
    void regularExpressionsMatchTheWholePath(String target, boolean expected) {
        assertThat(pathMatches(new Regex("/v\\d+/orders"), false, target)).isEqualTo(expected);
    }

    @Test
    void caseMayBeIgnored() {
        assertThat(pathMatches(new Prefix("/Api"), false, "/aPI/x")).isTrue();
        assertThat(pathMatches(new Exact("/Api"), false, "/aPI?x")).isTrue();
        assertThat(pathMatches(new SeparatedPrefix("/Api"), false, "/aPI/x")).isTrue();
        assertThat(pathMatches(new SeparatedPrefix("/Api"), false, "/aPIx")).isFalse();
    }

    @Test
    void theQueryIsNoPartOfThePath() {
        assertThat(pathMatches(new Prefix("/api?x"), true, "/api?x")).isFalse();
        assertThat(pathMatches(new Exact("/api?x"), true, "/api?x")).isFalse();
        assertThat(pathMatches(new Regex("/api.x"), true, "/api?x")).isFalse();
    }

    private static RouteMatch headers(HeaderMatch... headers) {
        return new RouteMatch(new Prefix("/"), true, List.of(headers), List.of(), Optional.empty(), false);
    }

    private static boolean headerMatches(HeaderMatch match, String value) {
        Request request = Request.get("orders", "/");
        return matches(headers(match), value == null ? request : request.with("x", value));
    }

    private static HeaderMatch header(HeaderMatch.Test test) {
        return new HeaderMatch("x", test, false, false);
    }

    private static HeaderMatch inverted(HeaderMatch.Test test) {
        return new HeaderMatch("x", test, true, false);
    }

    @Test
    void headerValues() {
        assertThat(headerMatches(header(new Value(new StringMatch.Exact("yes", false))), "yes")).isTrue();
        assertThat(headerMatches(header(new Value(new StringMatch.Exact("yes", false))), "Yes")).isFalse();
        assertThat(headerMatches(header(new Value(new StringMatch.Exact("yes", true))), "Yes")).isTrue();
        assertThat(headerMatches(header(new Value(new StringMatch.Exact("yes", true))), "yess")).isFalse();
        assertThat(headerMatches(header(new Value(new StringMatch.Prefix("ye", false))), "yes")).isTrue();
        assertThat(headerMatches(header(new Value(new StringMatch.Prefix("yes!", false))), "yes")).isFalse();
        assertThat(headerMatches(header(new Value(new StringMatch.Suffix("es", false))), "yes")).isTrue();
        assertThat(headerMatches(header(new Value(new StringMatch.Suffix("ES", true))), "yes")).isTrue();
        assertThat(headerMatches(header(new Value(new StringMatch.Suffix("oyes", false))), "yes")).isFalse();
        assertThat(headerMatches(header(new Value(new StringMatch.Contains("e", false))), "yes")).isTrue();
        assertThat(headerMatches(header(new Value(new StringMatch.Contains("E", false))), "yes")).isFalse();
        assertThat(headerMatches(header(new Value(new StringMatch.Contains("ES", true))), "yes")).isTrue();
        assertThat(headerMatches(header(new Value(new StringMatch.Regex("y.*"))), "yes")).isTrue();
        assertThat(headerMatches(header(new Value(new StringMatch.Regex("y"))), "yes")).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "-3, true", "0, true", "' +7 ', true", "9, true", "10, false", "-4, false", "1.0, false", "'', false", "x, false",
        "9223372036854775808, false", "-, false"
    })
    void headerRanges(String value, boolean expected) {
        assertThat(headerMatches(header(new Range(-3, 10)), value)).isEqualTo(expected);
    }

    @Test
    void headerRangesReachTheEndsOfALong() {
        HeaderMatch all = header(new Range(Long.MIN_VALUE, Long.MAX_VALUE));
        assertThat(headerMatches(all, "-9223372036854775808")).isTrue();
        assertThat(headerMatches(all, "9223372036854775806")).isTrue();
        assertThat(headerMatches(all, "-9223372036854775809")).isFalse();
    }

    @Test
    void headerPresence() {
        assertThat(headerMatches(header(new Present(true)), "")).isTrue();
        assertThat(headerMatches(header(new Present(true)), null)).isFalse();
        assertThat(headerMatches(header(new Present(false)), "v")).isFalse();
        assertThat(headerMatches(header(new Present(false)), null)).isTrue();
        assertThat(headerMatches(inverted(new Present(true)), null)).isTrue();
        assertThat(headerMatches(inverted(new Present(true)), "v")).isFalse();
        assertThat(headerMatches(inverted(new Present(false)), "v")).isTrue();
        assertThat(headerMatches(inverted(new Present(false)), null)).isFalse();
    }

    @Test
    void aMissingHeaderMatchesNoValueInvertedOrNot() {
        Value yes = new Value(new StringMatch.Exact("yes", false));
        assertThat(headerMatches(header(yes), null)).isFalse();
        assertThat(headerMatches(inverted(yes), null)).isFalse();
        assertThat(headerMatches(inverted(yes), "no")).isTrue();
        assertThat(headerMatches(inverted(yes), "yes")).isFalse();
    }

    @Test
    void eachValueOfAHeaderThatOccursSeveralTimesIsLookedAtByItself() {
        Request twice = Request.get("orders", "/").with("x", "1", "2");
        Value first = new Value(new StringMatch.Exact("1", false));
        Value second = new Value(new StringMatch.Exact("2", false));
        Value joined = new Value(new StringMatch.Exact("1,2", false));
        assertThat(matches(headers(header(first)), twice)).isTrue();
        assertThat(matches(headers(header(second)), twice)).isTrue();
        assertThat(matches(headers(header(joined)), twice)).isFalse();
        assertThat(matches(headers(inverted(second)), twice)).isFalse();
        assertThat(matches(headers(inverted(joined)), twice)).isTrue();
        assertThat(headerMatches(header(joined), "1,2")).isTrue();
    }

    @Test
    void aMissingHeaderMayCountAsEmpty() {
        Value yes = new Value(new StringMatch.Exact("yes", false));
        Value empty = new Value(new StringMatch.Exact("", false));
        assertThat(headerMatches(new HeaderMatch("x", yes, false, true), null)).isFalse();
        assertThat(headerMatches(new HeaderMatch("x", yes, true, true), null)).isTrue();
        assertThat(headerMatches(new HeaderMatch("x", empty, false, true), null)).isTrue();
        assertThat(headerMatches(new HeaderMatch("x", new Present(true), false, true), null)).isTrue();
    }

    @ParameterizedTest
    @CsvSource({":method, PUT", ":path, /a?b=c", ":authority, Orders", "host, Orders", ":scheme, http"})
    void pseudoHeaders(String name, String value) {
        HeaderMatch match = new HeaderMatch(name, new Value(new StringMatch.Exact(value, false)), false, false);
        assertThat(matches(headers(match), new Request("PUT", "Orders", "/a?b=c"))).isTrue();
        assertThat(matches(headers(match), new Request("GET", "orders", "/"))).isEqualTo(name.equals(":scheme"));
    }

    @Test
    void allHeadersMustMatch() {
        HeaderMatch one = new HeaderMatch("one", new Present(true), false, false);
        HeaderMatch two = new HeaderMatch("two", new Present(true), false, false);
        assertThat(matches(headers(one, two), Request.get("orders", "/").with("one", "1").with("two", "2"))).isTrue();
        assertThat(matches(headers(one, two), Request.get("orders", "/").with("one", "1"))).isFalse();
    }

    private static boolean queryMatches(QueryMatch match, String target) {
        return matches(
                new RouteMatch(new Prefix("/"), true, List.of(), List.of(match), Optional.empty(), false),
                Request.get("orders", target));
    }

    @ParameterizedTest
    @CsvSource({
        "/?page=2, true", "/?a=b&page=2, true", "/?page=2&page=3, true", "/?page=3&page=2, false", "/?page=22, false",
        "/?page, false", "/?pages=2, false", "/?apage=2, false", "/page=2, false", "/, false", "/?, false", "/?PAGE=2, false"
    })
    void queryValues(String target, boolean expected) {
        QueryMatch match = new QueryMatch("page", Optional.of(new StringMatch.Exact("2", false)));
        assertThat(queryMatches(match, target)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({"/?page, true", "/?page=, true", "/?x&page=1, true", "/?pages, false", "/page, false"})
    void queryPresence(String target, boolean expected) {
        assertThat(queryMatches(new QueryMatch("page", Optional.empty()), target)).isEqualTo(expected);
    }

    @Test
    void aQueryParameterWithoutAValueIsEmpty() {
        QueryMatch empty = new QueryMatch("page", Optional.of(new StringMatch.Exact("", false)));
        assertThat(queryMatches(empty, "/?page")).isTrue();
        assertThat(queryMatches(empty, "/?page=&x")).isTrue();
        assertThat(queryMatches(new QueryMatch("page", Optional.of(new StringMatch.Regex("\\d+"))), "/?page=12&x=y")).isTrue();
        assertThat(queryMatches(new QueryMatch("page", Optional.of(new StringMatch.Suffix("2", false))), "/?page=12&x=y")).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"application/grpc, true", "application/grpc+proto, true", "application/grpc-web, false", "text/plain, false"})
    void grpcOnly(String contentType, boolean expected) {
        RouteMatch grpc = new RouteMatch(new Prefix("/"), true, List.of(), List.of(), Optional.empty(), true);
        assertThat(matches(grpc, Request.get("orders", "/").with("content-type", contentType))).isEqualTo(expected);
        assertThat(matches(grpc, Request.get("orders", "/"))).isFalse();
    }

    private static RouteMatch fraction(int numerator, int denominator) {
        return new RouteMatch(
                new Prefix("/"), true, List.of(), List.of(), Optional.of(new Fraction(numerator, denominator)), false);
    }

    @Test
    void aRouteMayTakeAFractionOfItsRequests() {
        Map<Integer, Integer> spread = mesh(fraction(250_000, 1_000_000)).spread("orders", 10_000);
        assertThat(spread.get(MATCHED)).isCloseTo(2_500, within(150));
        assertThat(mesh(fraction(0, 100)).spread("orders", 500)).containsOnlyKeys(OTHER);
        assertThat(mesh(fraction(100, 100)).spread("orders", 500)).containsOnlyKeys(MATCHED);
    }

    /** Envoy draws one number a request: a second route with 60 percent takes what lies between 30 and 60. */
    @Test
    void fractionsOfSuccessiveRoutesCutTheSameRange() {
        Fixture mesh = Fixture.with(snapshot()
                .routes(host(
                        "orders", route(fraction(30, 100), forward("a")), route(fraction(60, 100), forward("b")), to("c")))
                .cluster("a", 1)
                .cluster("b", 2)
                .cluster("c", 3));

        Map<Integer, Integer> spread = mesh.spread("orders", 10_000);
        assertThat(spread.get(1)).isCloseTo(3_000, within(150));
        assertThat(spread.get(2)).isCloseTo(3_000, within(150));
        assertThat(spread.get(3)).isCloseTo(4_000, within(150));
    }

    @Test
    void theFirstRouteThatMatchesDecides() {
        Fixture mesh = Fixture.with(snapshot()
                .routes(host(
                        "orders",
                        route(any(), new RouteAction.NonForwarding()),
                        route(match(new Prefix("/a")), forward("matched")),
                        to("other"),
                        route(match(new Exact("/a")), forward("other"))))
                .cluster("matched", MATCHED)
                .cluster("other", OTHER));

        assertThat(Fixture.port(mesh.dialled(Request.get("orders", "/a")))).isEqualTo(MATCHED);
        assertThat(Fixture.port(mesh.dialled(Request.get("orders", "/b")))).isEqualTo(OTHER);
    }
}
