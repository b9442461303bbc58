package io.weft.dataplane;

import static io.weft.dataplane.Policies.any;
import static io.weft.dataplane.Policies.forward;
import static io.weft.dataplane.Policies.snapshot;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.weft.dataplane.Inbound.Port;
import io.weft.dataplane.InboundExchange.Step;
import io.weft.policy.model.CidrRange;
import io.weft.policy.model.ClientAddress;
import io.weft.policy.model.ClientCertificateHeader;
import io.weft.policy.model.FilterOverrides;
import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.HeaderMatch;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.HttpConnectionManager;
import io.weft.policy.model.HttpConnectionManager.ConnectionLimits;
import io.weft.policy.model.HttpConnectionManager.Edge;
import io.weft.policy.model.HttpConnectionManager.StreamLimits;
import io.weft.policy.model.HttpFilter.AccessControl;
import io.weft.policy.model.HttpFilter.ConnectionAccessControl;
import io.weft.policy.model.Listener;
import io.weft.policy.model.MatchTree;
import io.weft.policy.model.MatchTree.Act;
import io.weft.policy.model.MatchTree.ConnectionInput;
import io.weft.policy.model.NamedFilter;
import io.weft.policy.model.PathNormalization;
import io.weft.policy.model.PathNormalization.EscapedSlashes;
import io.weft.policy.model.Rbac;
import io.weft.policy.model.Rbac.Action;
import io.weft.policy.model.Rbac.NamedAction;
import io.weft.policy.model.Rbac.Policy;
import io.weft.policy.model.Rbac.Rule;
import io.weft.policy.model.Route;
import io.weft.policy.model.StringMatch;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who may call the app, and by which way of writing its paths. */
class InboundAccessTest {
    private static final PathNormalization ALL = new PathNormalization(true, true, EscapedSlashes.UNESCAPE_AND_FORWARD);
    private static final Rule ANY = new Rbac.Any();

    private static NamedFilter filter(Rbac.Engine engine) {
        return new NamedFilter("rbac", new AccessControl(new Rbac(Optional.of(engine), Optional.empty())), false);
    }

    private static Rbac.Engine policies(Action action, Rule permission, Rule principal) {
        return new Rbac.Policies(action, List.of(new Policy("p", List.of(permission), List.of(principal))));
    }

    private static Fixture app(Fixture fixture, Edge edge, NamedFilter... filters) {
        Route route = new Route("", any(), forward("local"), HeaderChanges.NONE, FilterOverrides.NONE);
        fixture.apply(snapshot().listener(
                "inbound",
                Listener.Kind.INBOUND,
                new HostPort("10.0.0.1", 8080),
                List.of(filters),
                edge,
                Policies.routes(Policies.host("*", route))));
        return fixture;
    }

    private static Incoming entered(Fixture app, Incoming request) {
        Port port = app.dataPlane.inbound().opened("test", new InetSocketAddress("0.0.0.0", 8080), false);
        port.enter(request);
        port.close();
        return request;
    }

    private static boolean serves(Fixture app, Incoming request) {
        boolean served = entered(app, request).next() == Step.PROCEED;
        request.end();
        return served;
    }

    private static Fixture noAdmin(PathNormalization paths) {
        Rule admin = new Rbac.UrlPath(new StringMatch.Prefix("/admin", false));
        return app(new Fixture(), new Edge(paths, ClientAddress.DEFAULT), filter(policies(Action.DENY, admin, ANY)));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "/admin", "/admin/keys", "//admin", "/admin%2f..%2fadmin", "/x/../admin", "/x%2f..%2fadmin", "/%61dmin", "/x/..;/admin",
        "/./admin", "\\admin", "/x/%2e%2e/admin", "/admin%2fkeys"
    })
    void noWayOfWritingAForbiddenPathReachesTheApp(String path) {
        assertThat(serves(noAdmin(ALL), Incoming.get(path))).isFalse();
    }

    @Test
    void aHeadThatIsTooLargeGoesNoFurther() {
        Route route = new Route("", any(), forward("local"), HeaderChanges.NONE, FilterOverrides.NONE);
        Fixture app = Fixture.with(snapshot().listener(
                "inbound", Listener.Kind.INBOUND, new HostPort("10.0.0.1", 8080),
                new HttpConnectionManager(
                        "", new HttpConnectionManager.Named("inbound-routes"), List.of(), Edge.NONE,
                        new StreamLimits(Duration.ZERO, Duration.ZERO, 1024)),
                Policies.routes(Policies.host("*", route))));
        assertThat(entered(app, Incoming.get("/").with("x", "y".repeat(1022))).next()).isEqualTo(Step.PROCEED);
        Incoming larger = entered(app, Incoming.get("/").with("x", "y".repeat(1023)));
        assertThat(larger.next()).isEqualTo(Step.REPLY);
        assertThat(larger.reply().status()).isEqualTo(431);
    }

    private static Fixture limited(Duration duration, int requests) {
        Edge edge = new Edge(
                PathNormalization.NONE, ClientAddress.DEFAULT, ClientCertificateHeader.SANITIZE, new ConnectionLimits(duration, requests));
        return app(new Fixture(), edge);
    }

    private static boolean isLast(Fixture app, Connection connection) {
        Incoming request = entered(app, Incoming.get("/").over(connection));
        assertThat(request.next()).isEqualTo(Step.PROCEED);
        request.end();
        return request.draining();
    }

    private static Connection connection(int port) {
        return new Connection(new InetSocketAddress("10.0.0.1", 8080), new InetSocketAddress("10.9.9.9", port), "", null);
    }

    @Test
    void aConnectionEndsWithItsLastRequest() {
        Fixture app = limited(Duration.ZERO, 3);
        Connection connection = connection(1);
        assertThat(isLast(app, connection)).isFalse();
        assertThat(isLast(app, connection)).isFalse();
        assertThat(isLast(app, connection)).isTrue();
        assertThat(isLast(app, connection(2))).isFalse();
    }

    @Test
    void aConnectionEndsAfterItsTime() {
        Fixture app = limited(Duration.ofMinutes(1), 0);
        Connection connection = connection(1);
        assertThat(isLast(app, connection)).isFalse();
        app.time.advance(Duration.ofSeconds(59));
        assertThat(isLast(app, connection)).isFalse();
        app.time.advance(Duration.ofSeconds(1));
        assertThat(isLast(app, connection)).isTrue();
        assertThat(isLast(limited(Duration.ZERO, 0), connection)).as("none is set").isFalse();
    }

    @Test
    void whoMayNotConnectGetsNoAnswer() {
        Rbac nobody = new Rbac(Optional.of(policies(Action.DENY, ANY, ANY)), Optional.empty());
        Fixture app = app(
                new Fixture(), Edge.NONE, new NamedFilter("connection rbac", new ConnectionAccessControl(nobody), false));
        Incoming request = entered(app, Incoming.get("/"));

        assertThat(request.next()).isEqualTo(Step.CLOSE);
        assertThat(request.reply()).isNull();
        request.end();
        assertThat(app.dataPlane.accessStats().get(0).count()).isEqualTo(1);
    }

    @Test
    void withoutNormalizationAPathIsWhatItSays() {
        assertThat(serves(noAdmin(PathNormalization.NONE), Incoming.get("//admin"))).isTrue();
    }

    @Test
    void theAppIsGivenThePathThatWasLookedAt() {
        Incoming request = entered(noAdmin(ALL), Incoming.get("/admin%2f..//public?a=%2f.."));

        assertThat(request.next()).isEqualTo(Step.PROCEED);
        assertThat(request.requestChanges().path()).isEqualTo("/public?a=%2f..");
        assertThat(entered(noAdmin(ALL), Incoming.get("/public")).requestChanges()).isSameAs(RequestChanges.NONE);
    }

    @Test
    void aPathThatIsNotValidIsAnsweredAsEnvoyAnswersIt() {
        Fixture rejecting = noAdmin(new PathNormalization(true, true, EscapedSlashes.REJECT));
        Fixture redirecting = noAdmin(new PathNormalization(true, true, EscapedSlashes.UNESCAPE_AND_REDIRECT));

        Incoming rejected = entered(rejecting, Incoming.get("/public%2fx"));
        assertThat(rejected.next()).isEqualTo(Step.REPLY);
        assertThat(rejected.reply().status()).isEqualTo(400);
        assertThat(entered(rejecting, Incoming.get("/a%00b")).next()).isEqualTo(Step.REPLY);

        Incoming redirected = entered(redirecting, Incoming.get("/public%2fx"));
        assertThat(redirected.next()).isEqualTo(Step.REPLY);
        assertThat(redirected.reply().status()).isEqualTo(307);
        assertThat(redirected.reply().headers()).containsExactly(Map.entry("location", "/public/x"));

        // The object serves further requests.
        assertThat(serves(rejecting, Incoming.get("/public"))).isTrue();
    }

    /** A request whose handler the server has chosen. */
    private static final class Chosen extends Incoming {
        Chosen(String path) {
            super("GET", path);
        }

        @Override
        protected boolean pathCanChange() {
            return false;
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/admin/../public", "/admin%2f..%2fpublic", "//admin/../public", "/admin/%2e%2e/public", "/admin/..;/public"})
    void aHandlerThatIsChosenByOnePathServesNoOther(String path) {
        Incoming request = entered(noAdmin(ALL), new Chosen(path));

        assertThat(request.next()).isEqualTo(Step.REPLY);
        assertThat(request.reply().status()).isEqualTo(400);
        assertThat(serves(noAdmin(ALL), Incoming.get(path))).isTrue();
    }

    @Test
    void aHandlerThatIsChosenByThePathDecodedServesItHoweverItIsWritten() {
        assertThat(serves(noAdmin(ALL), new Chosen("/%70ublic%2fa?x=%2f"))).isTrue();
        assertThat(serves(noAdmin(ALL), new Chosen("/%61dmin"))).isFalse();
    }

    /** A request whose path the agent cannot read. */
    private static final class Unreadable extends Incoming {
        Unreadable() {
            super("GET", "/public");
        }

        @Override
        public String path() {
            throw new IllegalStateException("a fault of the agent");
        }
    }

    @Test
    void aPathThatCannotBeReadReachesNobody() {
        List<String> faults = new ArrayList<>();
        Fixture app = app(
                new Fixture((where, fault) -> faults.add(where)),
                new Edge(ALL, ClientAddress.DEFAULT),
                filter(policies(Action.ALLOW, ANY, ANY)));

        assertThat(serves(app, new Unreadable())).isFalse();
        assertThat(faults).containsExactly("path on port 8080");
    }

    @Test
    void theClientsAddressIsWhatTheConnectionManagerSaysItIs() {
        Rule client = new Rbac.SourceIp(Rbac.Source.CLIENT, new CidrRange("192.0.2.0", 24));
        Incoming request = Incoming.get("/").over(Peers.plaintext()).with("x-forwarded-for", "192.0.2.1, 10.0.0.9");
        Edge trusting = new Edge(PathNormalization.NONE, new ClientAddress(true, 2));
        Edge careful = new Edge(PathNormalization.NONE, new ClientAddress(true, 0));

        assertThat(serves(app(new Fixture(), trusting, filter(policies(Action.ALLOW, ANY, client))), request)).isTrue();
        assertThat(serves(app(new Fixture(), careful, filter(policies(Action.ALLOW, ANY, client))), request)).isFalse();
    }

    @Test
    void aDecisionAllocatesNothing() {
        Rule peer = new Rbac.Authenticated(Optional.of(new StringMatch.Prefix("spiffe://mesh/storefront", false)));
        Rule read = new Rbac.Or(List.of(
                new Rbac.Header(new HeaderMatch(":method", new HeaderMatch.Value(new StringMatch.Exact("GET", false)), false, false)),
                new Rbac.DestinationPort(1, 2)));
        Rule path = new Rbac.And(List.of(
                new Rbac.UrlPath(new StringMatch.Suffix("/items", false)), new Rbac.DestinationIp(new CidrRange("10.0.0.0", 8))));
        Rule source = new Rbac.Not(new Rbac.SourceIp(Rbac.Source.CLIENT, new CidrRange("fd00::", 8)));
        Map<String, MatchTree.OnMatch<NamedAction>> prefixes = Map.of(
                "spiffe://mesh/", new Act<>(new NamedAction("mesh", Action.ALLOW)),
                "spiffe://mesh/old", new Act<>(new NamedAction("old", Action.DENY)));
        Rbac.Engine tree = new Rbac.Tree(new MatchTree<>(
                Optional.of(new MatchTree.PrefixMap<>(ConnectionInput.URI_SAN, prefixes)),
                Optional.of(new Act<>(new NamedAction("none", Action.DENY)))));
        Fixture app = app(
                new Fixture(),
                new Edge(ALL, ClientAddress.DEFAULT),
                filter(policies(Action.DENY, new Rbac.UrlPath(new StringMatch.Prefix("/admin", false)), ANY)),
                filter(new Rbac.Policies(
                        Action.ALLOW, List.of(new Policy("p", List.of(read, path), List.of(new Rbac.And(List.of(peer, source))))))),
                filter(tree));
        Incoming request = Incoming.get("/orders/items").over(Peers.tls("spiffe://mesh/storefront"));
        Port port = app.dataPlane.inbound().opened("test", new InetSocketAddress("0.0.0.0", 8080), false);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long thread = Thread.currentThread().getId();

        long least = Long.MAX_VALUE;
        for (int round = 0; round < 5; round++) {
            long before = threads.getThreadAllocatedBytes(thread);
            for (int i = 0; i < 10_000; i++) {
                port.enter(request);
                if (request.next() != Step.PROCEED) {
                    throw new AssertionError("refused");
                }
                request.end();
            }
            least = Math.min(least, threads.getThreadAllocatedBytes(thread) - before);
        }

        assertThat(least).isLessThanOrEqualTo(2_048);
    }
}
