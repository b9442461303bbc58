package io.weft.dataplane.authorize;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.ClientIp;
import io.weft.dataplane.Connection;
import io.weft.dataplane.Peers;
import io.weft.dataplane.Request;
import io.weft.policy.model.CidrRange;
import io.weft.policy.model.ClientAddress;
import io.weft.policy.model.HeaderMatch;
import io.weft.policy.model.MatchTree;
import io.weft.policy.model.Rbac;
import io.weft.policy.model.Rbac.Action;
import io.weft.policy.model.Rbac.NamedAction;
import io.weft.policy.model.Rbac.Policies;
import io.weft.policy.model.Rbac.Policy;
import io.weft.policy.model.Rbac.Rule;
import io.weft.policy.model.StringMatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RbacEngineTest {
    private static final Rule ANY = new Rbac.Any();
    private static final Request GET = Request.get("orders", "/admin/keys?all#x");

    private static StringMatch exact(String value) {
        return new StringMatch.Exact(value, false);
    }

    private static Rule named(StringMatch name) {
        return new Rbac.Authenticated(Optional.of(name));
    }

    private static boolean allows(Action action, Request request, Connection connection, Policy... policies) {
        return RbacEngine.of(new Policies(action, List.of(policies))).decide(request.over(connection)).allowed();
    }

    private static boolean permits(Rule permission, Request request, Connection connection) {
        return allows(Action.ALLOW, request, connection, new Policy("p", List.of(permission), List.of(ANY)));
    }

    private static boolean admits(Rule principal, Connection connection) {
        return allows(Action.ALLOW, GET, connection, new Policy("p", List.of(ANY), List.of(principal)));
    }

    @Test
    void withoutPoliciesAllowMeansNobodyAndDenyMeansEverybody() {
        assertThat(allows(Action.ALLOW, GET, Peers.plaintext())).isFalse();
        assertThat(allows(Action.DENY, GET, Peers.plaintext())).isTrue();
        assertThat(allows(Action.LOG, GET, Peers.plaintext())).isTrue();
    }

    @Test
    void oneOfThePermissionsAndOneOfThePrincipalsMustMatch() {
        Rule admin = new Rbac.UrlPath(new StringMatch.Prefix("/admin", false));
        Rule health = new Rbac.UrlPath(exact("/health"));
        Rule storefront = named(exact("spiffe://mesh/storefront"));
        Rule console = named(exact("spiffe://mesh/console"));
        Policy policy = new Policy("p", List.of(health, admin), List.of(storefront, console));

        assertThat(allows(Action.ALLOW, GET, Peers.tls("spiffe://mesh/console"), policy)).isTrue();
        assertThat(allows(Action.ALLOW, GET, Peers.tls("spiffe://mesh/other"), policy)).isFalse();
        assertThat(allows(Action.ALLOW, Request.get("orders", "/"), Peers.tls("spiffe://mesh/console"), policy)).isFalse();
        assertThat(allows(Action.DENY, GET, Peers.tls("spiffe://mesh/console"), policy)).isFalse();
        assertThat(allows(Action.DENY, GET, Peers.tls("spiffe://mesh/other"), policy)).isTrue();
        assertThat(allows(Action.LOG, GET, Peers.tls("spiffe://mesh/console"), policy)).isTrue();
    }

    @Test
    void theFirstPolicyThatMatchesIsTheOneThatDecided() {
        RbacEngine engine = RbacEngine.of(
                new Policies(Action.DENY, List.of(
                        new Policy("a", List.of(new Rbac.UrlPath(exact("/other"))), List.of(ANY)),
                        new Policy("b", List.of(ANY), List.of(ANY)),
                        new Policy("c", List.of(ANY), List.of(ANY)))));

        assertThat(engine.decide(GET.over(Peers.plaintext())).rule()).isEqualTo("b");
        assertThat(engine.verdicts()).extracting(Verdict::rule).containsExactly("a", "b", "c", "-");
    }

    /** Policies are looked up by the names that they ask a peer for; what is decided is what asking each in turn would decide. */
    @Test
    void theFirstPolicyDecidesAlsoWhereManyNameTheirCallers() {
        Random random = new Random(1);
        int decided = 0;
        for (int round = 0; round < 500; round++) {
            List<Policy> policies = new ArrayList<>();
            for (int i = random.nextInt(8); i >= 0; i--) {
                Rule path = random.nextBoolean() ? ANY : new Rbac.UrlPath(exact("/" + random.nextInt(2)));
                policies.add(new Policy("p" + policies.size(), List.of(path), principals(random, 2)));
            }
            Request request = Request.get("orders", "/" + random.nextInt(2));
            Connection connection = random.nextInt(8) == 0
                    ? Peers.plaintext()
                    : Peers.tls(Stream.generate(() -> name(random)).limit(random.nextInt(3)).toArray(String[]::new));
            String first = policies.stream()
                    .filter(policy -> allows(Action.ALLOW, request, connection, policy))
                    .map(Policy::name)
                    .findFirst()
                    .orElse("-");

            assertThat(RbacEngine.of(new Policies(Action.ALLOW, policies)).decide(request.over(connection)).rule())
                    .as("%s over %s", policies, connection.peer())
                    .isEqualTo(first);
            decided += first.equals("-") ? 0 : 1;
        }
        assertThat(decided).isBetween(100, 450);
    }

    private static List<Rule> principals(Random random, int depth) {
        return Stream.generate(() -> principal(random, depth)).limit(1 + random.nextInt(2)).toList();
    }

    private static Rule principal(Random random, int depth) {
        return switch (random.nextInt(depth == 0 ? 3 : 6)) {
            case 0, 1 -> named(exact(name(random)));
            case 2 -> named(new StringMatch.Exact(name(random).toUpperCase(Locale.ROOT), true));
            case 3 -> new Rbac.And(principals(random, depth - 1));
            case 4 -> new Rbac.Or(principals(random, depth - 1));
            default -> new Rbac.Not(principal(random, depth - 1));
        };
    }

    private static String name(Random random) {
        return "spiffe://mesh/" + (char) ('a' + random.nextInt(4));
    }

    @Test
    void whoIsFoundByANameMustBeAllElseThatIsAskedToo() {
        Rule console = named(exact("spiffe://mesh/console"));
        Rule near = new Rbac.SourceIp(Rbac.Source.PEER, new CidrRange("10.0.0.7", 32));
        Connection peer = Peers.tls("spiffe://mesh/console");

        assertThat(admits(console, peer)).isTrue();
        assertThat(admits(new Rbac.Or(List.of(named(exact("spiffe://mesh/other")), console)), peer)).isTrue();
        assertThat(admits(new Rbac.And(List.of(console, near)), peer)).isTrue();
        assertThat(admits(new Rbac.And(List.of(console, new Rbac.Not(near))), peer)).isFalse();
        assertThat(admits(new Rbac.Or(List.of(new Rbac.And(List.of(console, new Rbac.Not(near))), named(exact("other")))), peer)).isFalse();
    }

    @Test
    void rulesAreCombined() {
        Rule path = new Rbac.UrlPath(exact("/admin/keys"));
        Rule get = new Rbac.Header(new HeaderMatch(":method", new HeaderMatch.Value(exact("GET")), false, false));
        Request put = new Request("PUT", "orders", "/admin/keys");

        assertThat(permits(new Rbac.And(List.of(path, get)), GET, Peers.plaintext())).isTrue();
        assertThat(permits(new Rbac.And(List.of(path, get)), put, Peers.plaintext())).isFalse();
        assertThat(permits(new Rbac.Or(List.of(path, get)), put, Peers.plaintext())).isTrue();
        assertThat(permits(new Rbac.Not(get), put, Peers.plaintext())).isTrue();
        assertThat(permits(new Rbac.Not(get), GET, Peers.plaintext())).isFalse();
    }

    @Test
    void nothingForbiddenIsHiddenBehindASecondValue() {
        Rule admin = new Rbac.Header(new HeaderMatch("x-role", new HeaderMatch.Value(exact("admin")), false, false));
        Rule notUser = new Rbac.Header(new HeaderMatch("x-role", new HeaderMatch.Value(exact("user")), true, false));
        Request both = Request.get("orders", "/").with("x-role", "user, admin");
        Request user = Request.get("orders", "/").with("x-role", "user");

        for (Rule forbidden : List.of(admin, notUser)) {
            Policy policy = new Policy("p", List.of(forbidden), List.of(ANY));
            assertThat(allows(Action.DENY, both, Peers.plaintext(), policy)).isFalse();
            assertThat(allows(Action.DENY, user, Peers.plaintext(), policy)).isTrue();
        }
        Rule onlyUser = new Rbac.Header(new HeaderMatch("x-role", new HeaderMatch.Value(exact("user")), false, false));
        assertThat(permits(onlyUser, user, Peers.plaintext())).isTrue();
        assertThat(permits(onlyUser, both, Peers.plaintext())).isFalse();
        assertThat(permits(new Rbac.Not(admin), both, Peers.plaintext())).isFalse();
        assertThat(permits(new Rbac.Not(admin), user, Peers.plaintext())).isTrue();
    }

    @Test
    void aPathIsComparedWithoutQueryAndFragment() {
        assertThat(permits(new Rbac.UrlPath(exact("/admin/keys")), GET, Peers.plaintext())).isTrue();
        assertThat(permits(new Rbac.UrlPath(new StringMatch.Contains("all", false)), GET, Peers.plaintext())).isFalse();
    }

    @Test
    void plaintextIsNobody() {
        assertThat(admits(new Rbac.Authenticated(Optional.empty()), Peers.plaintext())).isFalse();
        assertThat(admits(named(new StringMatch.Regex(".*")), Peers.plaintext())).isFalse();
        assertThat(admits(named(exact("")), Peers.plaintext())).isFalse();
    }

    @Test
    void anyNameMeansAnyPeerThatTlsLetIn() {
        assertThat(admits(new Rbac.Authenticated(Optional.empty()), Peers.tls("spiffe://mesh/a"))).isTrue();
        assertThat(admits(new Rbac.Authenticated(Optional.empty()), Peers.tls())).isTrue();
    }

    @Test
    void aNameIsLookedForAmongUriSansDnsSansAndSubject() {
        Connection peer = Peers.tls(new Connection.Peer(
                List.of("spiffe://mesh/a", "spiffe://mesh/b"), List.of("orders.local"), "CN=orders,O=shop"));

        assertThat(admits(named(exact("spiffe://mesh/b")), peer)).isTrue();
        assertThat(admits(named(new StringMatch.Prefix("spiffe://mesh/", false)), peer)).isTrue();
        assertThat(admits(named(new StringMatch.Suffix("/A", true)), peer)).isTrue();
        assertThat(admits(named(new StringMatch.Contains("local", false)), peer)).isTrue();
        assertThat(admits(named(new StringMatch.Regex("CN=.*")), peer)).isTrue();
        assertThat(admits(named(exact("spiffe://mesh/c")), peer)).isFalse();
    }

    @Test
    void aPeerWithoutACertificateHasNoName() {
        assertThat(admits(named(new StringMatch.Prefix("spiffe://", false)), Peers.tls())).isFalse();
    }

    @ParameterizedTest
    @CsvSource({"10.0.0.0, 8, true", "10.0.0.7, 32, true", "10.0.0.8, 32, false", "::, 0, false"})
    void addressesAreComparedWithRanges(String address, int length, boolean within) {
        CidrRange range = new CidrRange(address, length);

        assertThat(admits(new Rbac.SourceIp(Rbac.Source.PEER, range), Peers.plaintext())).isEqualTo(within);
        assertThat(admits(new Rbac.SourceIp(Rbac.Source.CLIENT, range), Peers.plaintext())).isEqualTo(within);
    }

    @Test
    void whatProxiesSayCountsForTheClientOnly() {
        CidrRange peer = new CidrRange("10.0.0.7", 32);
        CidrRange client = new CidrRange("192.0.2.1", 32);
        Request request = Request.get("orders", "/").with("x-forwarded-for", "198.51.100.9, 192.0.2.1");

        assertThat(permits(new Rbac.SourceIp(Rbac.Source.CLIENT, client), request, Peers.plaintext())).isTrue();
        assertThat(permits(new Rbac.SourceIp(Rbac.Source.CLIENT, peer), request, Peers.plaintext())).isFalse();
        assertThat(permits(new Rbac.SourceIp(Rbac.Source.PEER, peer), request, Peers.plaintext())).isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "false, 0, 192.0.2.3",
        "false, 1, 192.0.2.2",
        "false, 2, 192.0.2.1",
        "false, 3, 10.0.0.7",
        "true, 0, 10.0.0.7",
        "true, 1, 192.0.2.3",
        "true, 3, 192.0.2.1",
        "true, 4, 10.0.0.7",
    })
    void theClientIsAsManyHopsAwayAsAreTrusted(boolean useRemoteAddress, int hops, String client) {
        Request request = Request.get("orders", "/").with("x-forwarded-for", "192.0.2.1, 192.0.2.2,192.0.2.3");

        assertThat(new ClientIp(new ClientAddress(useRemoteAddress, hops)).of(request, Peers.plaintext())).hasToString(client);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "unknown", "192.0.2.1, nonsense", ","})
    void aHeaderThatNamesNoAddressIsPassedOver(String forwardedFor) {
        Request request = Request.get("orders", "/").with("x-forwarded-for", forwardedFor);

        assertThat(new ClientIp(ClientAddress.DEFAULT).of(request, Peers.plaintext())).hasToString("10.0.0.7");
    }

    @Test
    void theDestinationIsTheAppsOwnSocket() {
        assertThat(permits(new Rbac.DestinationIp(new CidrRange("10.0.0.1", 32)), GET, Peers.plaintext())).isTrue();
        assertThat(permits(new Rbac.DestinationIp(new CidrRange("10.0.0.7", 32)), GET, Peers.plaintext())).isFalse();
        assertThat(permits(new Rbac.DestinationPort(8080, 8081), GET, Peers.plaintext())).isTrue();
        assertThat(permits(new Rbac.DestinationPort(8081, 9000), GET, Peers.plaintext())).isFalse();
        assertThat(permits(new Rbac.DestinationPort(80, 8080), GET, Peers.plaintext())).isFalse();
    }

    @Test
    void theRequestedServerNameIsEmptyWithoutOne() {
        Connection named = Peers.connection("10.0.0.7", "orders.mesh", null);

        assertThat(permits(new Rbac.RequestedServerName(exact("orders.mesh")), GET, named)).isTrue();
        assertThat(permits(new Rbac.RequestedServerName(exact("")), GET, Peers.plaintext())).isTrue();
    }

    @Test
    void aTreeDeniesWhatItDoesNotMatch() {
        MatchTree.Predicate storefront = new MatchTree.Text(
                MatchTree.ConnectionInput.URI_SAN, new StringMatch.Prefix("spiffe://mesh/storefront", false));
        MatchTree.Predicate legacy = new MatchTree.Text(MatchTree.ConnectionInput.URI_SAN, exact("spiffe://mesh/storefront/old"));
        MatchTree<NamedAction> tree = new MatchTree<>(
                Optional.of(new MatchTree.Sequence<>(List.of(
                        new MatchTree.Branch<>(legacy, new MatchTree.Act<>(new NamedAction("no-legacy", Action.DENY))),
                        new MatchTree.Branch<>(storefront, new MatchTree.Act<>(new NamedAction("storefront", Action.ALLOW)))))),
                Optional.empty());
        RbacEngine engine = RbacEngine.of(new Rbac.Tree(tree));

        assertThat(engine.decide(GET.over(Peers.tls("spiffe://mesh/storefront")))).satisfies(it -> {
            assertThat(it.allowed()).isTrue();
            assertThat(it.rule()).isEqualTo("storefront");
        });
        assertThat(engine.decide(GET.over(Peers.tls("spiffe://mesh/storefront/old"))).allowed()).isFalse();
        assertThat(engine.decide(GET.over(Peers.tls("spiffe://mesh/other"))).allowed()).isFalse();
        assertThat(engine.decide(GET.over(Peers.plaintext()))).satisfies(it -> {
            assertThat(it.allowed()).isFalse();
            assertThat(it.rule()).isEqualTo("-");
        });
    }
}
