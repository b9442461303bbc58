package io.weft.dataplane.match;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.Connection;
import io.weft.dataplane.Peers;
import io.weft.dataplane.Request;
import io.weft.policy.model.CidrRange;
import io.weft.policy.model.MatchTree;
import io.weft.policy.model.MatchTree.Act;
import io.weft.policy.model.MatchTree.Branch;
import io.weft.policy.model.MatchTree.ConnectionInput;
import io.weft.policy.model.MatchTree.Descend;
import io.weft.policy.model.MatchTree.ExactMap;
import io.weft.policy.model.MatchTree.Input;
import io.weft.policy.model.MatchTree.OnMatch;
import io.weft.policy.model.MatchTree.Predicate;
import io.weft.policy.model.MatchTree.PrefixMap;
import io.weft.policy.model.MatchTree.QueryParameter;
import io.weft.policy.model.MatchTree.RangeBranch;
import io.weft.policy.model.MatchTree.Ranges;
import io.weft.policy.model.MatchTree.RequestHeader;
import io.weft.policy.model.MatchTree.Sequence;
import io.weft.policy.model.MatchTree.Text;
import io.weft.policy.model.StringMatch;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DeciderTest {
    private static final Input VERSION = new RequestHeader("x-version");

    private static OnMatch<String> act(String action) {
        return new Act<>(action);
    }

    private static OnMatch<String> descend(MatchTree.Branches<String> branches) {
        return new Descend<>(new MatchTree<>(Optional.of(branches), Optional.empty()));
    }

    private static Predicate exact(Input input, String value) {
        return new Text(input, new StringMatch.Exact(value, false));
    }

    private static String decide(MatchTree.Branches<String> branches, Request request) {
        return decide(branches, request, Peers.plaintext());
    }

    private static String decide(MatchTree.Branches<String> branches, Request request, Connection connection) {
        MatchTree<String> tree = new MatchTree<>(Optional.of(branches), Optional.of(act("none")));
        return Decider.of(tree, Function.<String>identity()).decide(request.over(connection));
    }

    private static Request version(String version) {
        return Request.get("orders", "/").with("x-version", version);
    }

    @Test
    void withoutAWordNothingMatches() {
        MatchTree<String> empty = new MatchTree<>(Optional.empty(), Optional.empty());

        assertThat(Decider.of(empty, Function.<String>identity()).decide(version("1"))).isNull();
    }

    @Test
    void theFirstOfAListThatMatchesDecides() {
        Sequence<String> list = new Sequence<>(List.of(
                new Branch<>(exact(VERSION, "1"), act("first")),
                new Branch<>(new Text(VERSION, new StringMatch.Prefix("1", false)), act("second"))));

        assertThat(decide(list, version("1"))).isEqualTo("first");
        assertThat(decide(list, version("17"))).isEqualTo("second");
        assertThat(decide(list, version("2"))).isEqualTo("none");
    }

    @Test
    void predicatesAreCombined() {
        Predicate one = exact(VERSION, "1");
        Predicate secure = exact(ConnectionInput.URI_SAN, "spiffe://mesh/a");
        Sequence<String> list = new Sequence<>(List.of(
                new Branch<>(new MatchTree.And(List.of(one, secure)), act("both")),
                new Branch<>(new MatchTree.Or(List.of(one, secure)), act("one")),
                new Branch<>(new MatchTree.Not(exact(VERSION, "2")), act("not 2"))));

        assertThat(decide(list, version("1"), Peers.tls("spiffe://mesh/a"))).isEqualTo("both");
        assertThat(decide(list, version("2"), Peers.tls("spiffe://mesh/a"))).isEqualTo("one");
        assertThat(decide(list, version("3"))).isEqualTo("not 2");
        assertThat(decide(list, version("2"))).isEqualTo("none");
    }

    @Test
    void aMissingValueMatchesNothingNotEvenEmpty() {
        Sequence<String> list = new Sequence<>(List.of(
                new Branch<>(new Text(VERSION, new StringMatch.Regex(".*")), act("there")),
                new Branch<>(new MatchTree.Not(exact(VERSION, "")), act("missing"))));

        assertThat(decide(list, Request.get("orders", "/"))).isEqualTo("missing");
        assertThat(decide(new ExactMap<>(VERSION, Map.of("", act("empty"))), Request.get("orders", "/"))).isEqualTo("none");
        assertThat(decide(new PrefixMap<>(VERSION, Map.of("", act("empty"))), Request.get("orders", "/"))).isEqualTo("none");
    }

    @Test
    void aBranchThatComesToNothingIsPassedOver() {
        OnMatch<String> nothing = descend(new ExactMap<>(VERSION, Map.of("other", act("never"))));

        assertThat(decide(new Sequence<>(List.of(
                        new Branch<>(exact(VERSION, "1"), nothing), new Branch<>(exact(VERSION, "1"), act("second")))), version("1")))
                .isEqualTo("second");
        assertThat(decide(new ExactMap<>(VERSION, Map.of("1", nothing)), version("1"))).isEqualTo("none");
        assertThat(decide(new PrefixMap<>(VERSION, Map.of("1.2", nothing, "1", act("shorter"))), version("1.2.3")))
                .isEqualTo("shorter");
    }

    @Test
    void aPrefixMapFindsTheLongestPrefixWhateverItsKeysAre() {
        Random random = new Random(3);
        for (int round = 0; round < 300; round++) {
            Map<String, OnMatch<String>> map = new HashMap<>();
            for (int i = random.nextInt(30); i >= 0; i--) {
                String key = word(random);
                map.put(key, act("<" + key + ">"));
            }
            PrefixMap<String> tree = new PrefixMap<>(VERSION, map);
            for (int i = 0; i < 30; i++) {
                String value = word(random);
                String expected = map.keySet().stream()
                        .filter(value::startsWith)
                        .max(Comparator.comparing(String::length))
                        .map(key -> "<" + key + ">")
                        .orElse("none");

                assertThat(decide(tree, version(value))).as("%s in %s", value, map.keySet()).isEqualTo(expected);
            }
        }
    }

    private static String word(Random random) {
        StringBuilder word = new StringBuilder();
        for (int i = random.nextInt(7); i > 0; i--) {
            word.append((char) ('a' + random.nextInt(2)));
        }
        return word.toString();
    }

    @Test
    void theNarrowestRangeDecides() {
        RangeBranch<String> wide = range("wide", false, new CidrRange("10.0.0.0", 8));
        RangeBranch<String> narrow = range("narrow", false, new CidrRange("192.168.0.0", 16), new CidrRange("10.0.0.0", 24));
        RangeBranch<String> again = range("again", false, new CidrRange("10.0.0.0", 24));
        Ranges<String> tree = new Ranges<>(ConnectionInput.SOURCE_IP, List.of(wide, again, narrow));

        assertThat(decide(tree, version(""), Peers.plaintext("10.0.0.7"))).isEqualTo("again");
        assertThat(decide(tree, version(""), Peers.plaintext("10.9.0.7"))).isEqualTo("wide");
        assertThat(decide(tree, version(""), Peers.plaintext("192.168.9.7"))).isEqualTo("narrow");
        assertThat(decide(tree, version(""), Peers.plaintext("::1"))).isEqualTo("none");
    }

    @Test
    void aWiderRangeIsTriedWhenANarrowerOneCameToNothingUnlessItIsExclusive() {
        RangeBranch<String> nothing = new RangeBranch<>(
                List.of(new CidrRange("10.0.0.0", 24)), descend(new ExactMap<>(VERSION, Map.of("other", act("never")))), false);
        RangeBranch<String> exclusive = range("exclusive", true, new CidrRange("10.0.0.0", 16));
        RangeBranch<String> wide = range("wide", false, new CidrRange("10.0.0.0", 8));
        Ranges<String> tree = new Ranges<>(ConnectionInput.SOURCE_IP, List.of(nothing, exclusive, wide));

        assertThat(decide(tree, version("1"), Peers.plaintext("10.0.0.7"))).isEqualTo("wide");
        assertThat(decide(tree, version("1"), Peers.plaintext("10.0.9.7"))).isEqualTo("exclusive");
    }

    private static RangeBranch<String> range(String action, boolean exclusive, CidrRange... ranges) {
        return new RangeBranch<>(List.of(ranges), act(action), exclusive);
    }

    @ParameterizedTest
    @CsvSource(nullValues = "-", value = {
        "URI_SAN, 'spiffe://mesh/a,spiffe://mesh/b'",
        "DNS_SAN, orders.local",
        "SUBJECT, CN=orders",
        "SERVER_NAME, orders.mesh",
        "SOURCE_IP, 10.0.0.7",
        "DIRECT_SOURCE_IP, 10.0.0.7",
        "SOURCE_PORT, 40000",
        "DESTINATION_IP, 10.0.0.1",
        "DESTINATION_PORT, 8080",
        "SOURCE_TYPE, -",
    })
    void readsTheConnection(ConnectionInput input, String value) {
        Connection connection = Peers.connection("10.0.0.7", "orders.mesh", new Connection.Peer(
                List.of("spiffe://mesh/a", "spiffe://mesh/b"), List.of("orders.local"), "CN=orders"));

        assertThat(InputReader.of(input).text(version("").over(connection))).isEqualTo(value);
    }

    @ParameterizedTest
    @CsvSource({"127.0.0.1", "127.8.8.8", "::1", "10.0.0.1"})
    void aConnectionFromTheSameHostIsLocal(String from) {
        assertThat(InputReader.of(ConnectionInput.SOURCE_TYPE).text(version("").over(Peers.plaintext(from)))).isEqualTo("local");
    }

    @Test
    void plaintextHasNoPeer() {
        for (ConnectionInput input : List.of(
                ConnectionInput.URI_SAN, ConnectionInput.DNS_SAN, ConnectionInput.SUBJECT, ConnectionInput.SERVER_NAME)) {
            assertThat(InputReader.of(input).text(version(""))).isNull();
        }
    }

    @ParameterizedTest
    @CsvSource(nullValues = "-", value = {
        "/, -",
        "/?page, ''",
        "/?page=, ''",
        "/?page=2, 2",
        "/?pages=3&page=2&page=1, 2",
        "/?p%61ge=%32, 2",
        "/?page=a+b%20c%zz, 'a+b c%zz'",
        "/?other, -",
    })
    void readsAQueryParameter(String target, String value) {
        assertThat(InputReader.of(new QueryParameter("page")).text(Request.get("orders", target)))
                .isEqualTo(value);
    }

    @Test
    void readsAnAddressOutOfAHeader() {
        Predicate inside = new MatchTree.InRange(new RequestHeader("x-real-ip"), List.of(new CidrRange("10.0.0.0", 8)));
        List<Branch<String>> branches = new ArrayList<>(List.of(new Branch<>(inside, act("inside"))));

        assertThat(decide(new Sequence<>(branches), Request.get("orders", "/").with("x-real-ip", "10.3.4.5"))).isEqualTo("inside");
        assertThat(decide(new Sequence<>(branches), Request.get("orders", "/").with("x-real-ip", "11.3.4.5"))).isEqualTo("none");
        assertThat(decide(new Sequence<>(branches), Request.get("orders", "/").with("x-real-ip", "10.3"))).isEqualTo("none");
    }
}
