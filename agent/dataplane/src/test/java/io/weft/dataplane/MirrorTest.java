package io.weft.dataplane;

import static io.weft.dataplane.Fixture.NO_HEADERS;
import static io.weft.dataplane.Policies.*;
import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.Exchange.Failure;
import io.weft.dataplane.Exchange.Replay;
import io.weft.dataplane.Exchange.Step;
import io.weft.policy.model.FilterOverrides;
import io.weft.policy.model.Format;
import io.weft.policy.model.FormatOperator;
import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.HeaderChanges.Action;
import io.weft.policy.model.HeaderChanges.Addition;
import io.weft.policy.model.MirrorPolicy;
import io.weft.policy.model.Resending;
import io.weft.policy.model.RetryPolicy.On;
import io.weft.policy.model.Route;
import io.weft.policy.model.RouteAction;
import io.weft.policy.model.RouteAction.ClusterChoice;
import io.weft.policy.model.RouteAction.HostLiteral;
import io.weft.policy.model.RouteAction.InHeader;
import io.weft.policy.model.RouteAction.Named;
import io.weft.policy.model.RouteAction.ReplaceMatched;
import io.weft.policy.model.RouteAction.Rewrite;
import io.weft.policy.model.RouteAction.Timeouts;
import io.weft.policy.model.RouteAction.WeightedCluster;
import io.weft.policy.model.RouteMatch.Fraction;
import io.weft.policy.model.RoutingPriority;
import io.weft.policy.model.VirtualHost;
import io.weft.policy.model.VirtualHost.AttemptCount;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What goes to a mirror, and that the original has nothing to do with it. */
class MirrorTest {
    private static final MirrorPolicy SHADOW = MirrorPolicy.to("shadow");

    private final List<MirroredRequest> mirrored = new ArrayList<>();
    private final List<String> notices = new ArrayList<>();

    private Fixture mesh(Policies.SnapshotBuilder snapshot) {
        Fixture mesh = Fixture.with(snapshot);
        mesh.dataPlane.mirrorsBy(mirrored::add);
        mesh.dataPlane.noticesTo(notices::add);
        return mesh;
    }

    private Fixture mesh(MirrorPolicy... mirrors) {
        return mesh(Resending.of(mirrors));
    }

    private Fixture mesh(Resending resending) {
        return mesh(snapshot()
                .routes(host("orders", route(any(), forward("orders", resending, Duration.ofSeconds(3)))))
                .cluster("orders", 1)
                .cluster("shadow", 7));
    }

    private static ClusterStats stats(Fixture mesh, String cluster) {
        return mesh.dataPlane.stats().stream().filter(stats -> stats.name().equals(cluster)).findFirst().orElseThrow();
    }

    private static MirroredRequest dialled(MirroredRequest request) {
        assertThat(request.next()).isEqualTo(Step.DIAL);
        return request;
    }

    @Test
    void theRequestWithItsBody() {
        Fixture mesh = mesh(SHADOW);
        mesh.dialled(new Request("POST", "orders", "/a?b").with("x-tenant", "blue", "green").body("payload"));

        MirroredRequest copy = dialled(mirrored.get(0));
        assertThat(Fixture.port(copy)).isEqualTo(7);
        assertThat(copy.method()).isEqualTo("POST");
        assertThat(copy.path()).isEqualTo("/a?b");
        assertThat(copy.wireAuthority()).isEqualTo("orders-shadow");
        assertThat(copy.wireHeaders()).containsExactly(Map.entry("x-tenant", "blue"), Map.entry("x-tenant", "green"));
        assertThat(new String(copy.body(), StandardCharsets.UTF_8)).isEqualTo("payload");
    }

    @ParameterizedTest
    @CsvSource({"orders,orders-shadow", "orders:80,orders-shadow:80", "[::1]:80,[::1]-shadow:80", "[::1],[::1]-shadow"})
    void theSuffixGoesBeforeThePort(String authority, String suffixed) {
        Fixture mesh = mesh(snapshot()
                .routes(host(List.of("*"), route(any(), forward("orders", Resending.of(SHADOW), Duration.ZERO))))
                .cluster("orders", 1)
                .cluster("shadow", 7));
        mesh.dialled(Request.get(authority, "/"));

        assertThat(dialled(mirrored.get(0)).wireAuthority()).isEqualTo(suffixed);
    }

    @Test
    void asTheRouteSendsItAndWithItsOwnChangesBeforeItsHost() {
        MirrorPolicy mirror = new MirrorPolicy(
                new Named("shadow"),
                MirrorPolicy.ALL,
                List.of(
                        new HeaderChanges(List.of(), List.of("x-secret"), List.of(), List.of()),
                        new HeaderChanges(
                                List.of(new Addition("x-from",
                                        new Format(List.of(
                                                new Format.Command(FormatOperator.REQ, List.of(":authority"), Integer.MAX_VALUE),
                                                new Format.Command(FormatOperator.REQ, List.of(":path"), Integer.MAX_VALUE))),
                                        Action.OVERWRITE_IF_EXISTS_OR_ADD, false)),
                                List.of(), List.of(), List.of())),
                        new MirrorPolicy.Literal("copy:81"));
        HeaderChanges changes = new HeaderChanges(
                List.of(addition("x-added", "by the route", Action.OVERWRITE_IF_EXISTS_OR_ADD)), List.of("x-gone"), List.of(), List.of());
        RouteAction.Forward forward = new RouteAction.Forward(
                ClusterChoice.of(WeightedCluster.of("orders", 1)),
                new Rewrite(Optional.of(new ReplaceMatched("/new/")), Optional.of(new HostLiteral("inner")), false),
                Resending.of(mirror, new MirrorPolicy(new Named("shadow"), MirrorPolicy.ALL, List.of(), new MirrorPolicy.Same())),
                Timeouts.NONE, List.of(), Map.of(), RoutingPriority.DEFAULT);
        Fixture mesh = mesh(snapshot()
                .routes(new VirtualHost(
                        "orders", List.of("orders"), List.of(new Route("", any(), forward, changes, FilterOverrides.NONE)), false,
                        new AttemptCount(true, false), Resending.NONE, HeaderChanges.NONE, FilterOverrides.NONE))
                .cluster("orders", 1)
                .cluster("shadow", 7));
        Request original = mesh.dialled(Request.get("orders", "/old").with("x-secret", "s").with("x-gone", "g"));

        MirroredRequest first = dialled(mirrored.get(0));
        assertThat(first.wireAuthority()).isEqualTo("copy:81");
        assertThat(first.path()).isEqualTo("/new/old");
        assertThat(first.wireHeaders()).containsExactlyInAnyOrder(
                Map.entry("x-added", "by the route"), Map.entry("x-envoy-attempt-count", "1"), Map.entry("x-from", "inner/new/old"));
        MirroredRequest second = dialled(mirrored.get(1));
        assertThat(second.wireAuthority()).isEqualTo("inner");
        assertThat(second.wireHeaders()).contains(Map.entry("x-secret", "s"));
        assertThat(original.requestChanges().remove()).as("the original keeps what the mirror does not get").doesNotContain("x-secret");
    }

    @Test
    void headersOfTheConnectionStayThere() {
        Fixture mesh = mesh(SHADOW);
        mesh.dialled(Request.get("orders", "/")
                .with("connection", "Upgrade").with("upgrade", "h2c").with("http2-settings", "x").with("host", "orders")
                .with("content-length", "0").with("expect", "100-continue").with("accept", "a"));

        assertThat(dialled(mirrored.get(0)).wireHeaders()).containsExactly(Map.entry("accept", "a"));
    }

    @Test
    void aShareOfTheRequests() {
        Fixture mesh = mesh(new MirrorPolicy(new Named("shadow"), new Fraction(30, 100), List.of(), new MirrorPolicy.Shadow()));
        for (int i = 0; i < 1_000; i++) {
            mesh.dialled(Request.get("orders", "/")).end();
            mirrored.forEach(MirroredRequest::finish);
        }

        assertThat(mirrored).hasSizeBetween(230, 370);
    }

    @Test
    void theClusterThatAHeaderNames() {
        Fixture mesh = mesh(new MirrorPolicy(new InHeader("x-mirror"), MirrorPolicy.ALL, List.of(), new MirrorPolicy.Shadow()));
        mesh.dialled(Request.get("orders", "/").with("x-mirror", "shadow"));
        mesh.dialled(Request.get("orders", "/").with("x-mirror", "unknown"));
        mesh.dialled(Request.get("orders", "/"));

        assertThat(mirrored).hasSize(1);
        assertThat(Fixture.port(dialled(mirrored.get(0)))).isEqualTo(7);
    }

    @Test
    void itCountsForItsOwnCluster() {
        Fixture mesh = mesh(SHADOW);
        Request original = mesh.dialled(Request.get("orders", "/"));
        MirroredRequest copy = dialled(mirrored.get(0));
        assertThat(stats(mesh, "shadow").active()).isEqualTo(1);

        assertThat(copy.onResponse(503, NO_HEADERS)).as("never tried again").isFalse();
        copy.finish();
        copy.finish();
        original.onResponse(200, NO_HEADERS);
        original.end();

        assertThat(stats(mesh, "shadow").failures()).isEqualTo(1);
        assertThat(stats(mesh, "shadow").active()).isZero();
        assertThat(stats(mesh, "orders").successes()).isEqualTo(1);
        assertThat(stats(mesh, "orders").failures()).isZero();
    }

    @Test
    void itIsNoRequestOfTheWorkloads() {
        Fixture mesh = mesh(SHADOW);
        Request original = mesh.dialled(Request.get("orders", "/"));
        MirroredRequest copy = dialled(mirrored.get(0));
        copy.onResponse(503, NO_HEADERS);
        copy.finish();
        assertThat(mesh.dataPlane.requestStats()).isEmpty();

        original.onResponse(200, NO_HEADERS);
        original.end();
        assertThat(mesh.dataPlane.requestStats()).singleElement().satisfies(stats -> {
            assertThat(stats.peer().service()).isEqualTo("orders");
            assertThat(stats.outcome().code()).isEqualTo(200);
            assertThat(stats.requests()).isEqualTo(1);
        });
    }

    @Test
    void itsClustersLimitsHoldForIt() {
        Fixture mesh = mesh(snapshot()
                .routes(host("orders", route(any(), forward("orders", Resending.of(SHADOW), Duration.ZERO))))
                .cluster("orders", 1)
                .cluster(cluster("shadow").with(limits(1, 0, 1, 0)), endpoint(7)));
        mesh.dialled(Request.get("orders", "/"));
        mesh.dialled(Request.get("orders", "/"));

        dialled(mirrored.get(0));
        assertThat(mirrored.get(1).next()).isEqualTo(Step.REPLY);
        assertThat(stats(mesh, "shadow").overflows()).isEqualTo(1);
    }

    @Test
    void onceForAllAttempts() {
        Fixture mesh = mesh(new Resending(
                Optional.of(retryOn(2, On.SERVER_ERROR_5XX)), Optional.empty(), List.of(SHADOW),
                OptionalLong.empty()));
        Request original = mesh.dialled(Request.get("orders", "/"));
        assertThat(original.onResponse(503, NO_HEADERS)).isTrue();
        assertThat(original.next()).isEqualTo(Step.DIAL);

        assertThat(mirrored).hasSize(1);
    }

    @Test
    void theOriginalsTimeIsTheCopysTime() {
        Fixture mesh = mesh(SHADOW);
        mesh.dialled(Request.get("orders", "/"));
        MirroredRequest copy = dialled(mirrored.get(0));
        List<String> aborted = new ArrayList<>();
        copy.abortBy(() -> aborted.add("now"));
        assertThat(copy.connected()).isTrue();

        mesh.time.advance(Duration.ofMillis(2_999));
        assertThat(aborted).isEmpty();
        mesh.time.advance(Duration.ofMillis(1));
        assertThat(aborted).hasSize(1);
        copy.onFailure(Failure.RESET);
        copy.finish();
        assertThat(stats(mesh, "shadow").failures()).isEqualTo(1);
        assertThat(stats(mesh, "shadow").active()).isZero();
    }

    @Test
    void aBodyThatCannotBeHadIsCountedAndSaidOnce() {
        Fixture mesh = mesh(Resending.of(SHADOW).within(3));
        Request streamed = mesh.dialled(new Request("POST", "orders", "/").with(Replay.ONE_SHOT));
        assertThat(mirrored).as("until then it may come").isEmpty();
        assertThat(stats(mesh, "orders").abandoned()).isZero();
        streamed.connected();
        mesh.dialled(new Request("POST", "orders", "/").body("four"));
        mesh.dialled(new Request("POST", "orders", "/").body("all"));

        assertThat(mirrored).hasSize(1);
        assertThat(stats(mesh, "orders").abandoned()).isEqualTo(2);
        assertThat(notices).hasSize(1);
        assertThat(notices.get(0)).contains("orders").contains("3 bytes");
    }

    @Test
    void asLateAsTheLibraryHasItsBody() {
        Fixture mesh = mesh(SHADOW);
        Request late = mesh.dialled(new Request("POST", "orders", "/") {
            @Override
            protected boolean isComplete() {
                return false;
            }
        }.body("late"));
        assertThat(mirrored).isEmpty();

        assertThat(late.connected()).isTrue();
        assertThat(mirrored).hasSize(1);
    }

    @Test
    void whatIsMoreThanTheBoundsIsDropped() {
        Fixture mesh = mesh(SHADOW);
        for (int i = 0; i < Mirroring.MOST_UNDER_WAY + 5; i++) {
            mesh.dialled(Request.get("orders", "/")).end();
        }
        assertThat(mirrored).hasSize(Mirroring.MOST_UNDER_WAY);
        assertThat(stats(mesh, "shadow").overflows()).isEqualTo(5);

        mirrored.forEach(MirroredRequest::finish);
        mirrored.clear();
        String large = "x".repeat(1 << 20);
        for (int i = 0; i < 20; i++) {
            mesh.dialled(new Request("POST", "orders", "/").body(large)).end();
        }
        assertThat(mirrored).hasSize((int) (Mirroring.MOST_BYTES >> 20));
        mirrored.forEach(MirroredRequest::finish);
        mirrored.clear();
        mesh.dialled(new Request("POST", "orders", "/").body(large));
        assertThat(mirrored).hasSize(1);
    }

    @Test
    void whatHasNoEndpointIsNotMirrored() {
        Fixture mesh = mesh(snapshot()
                .routes(host("orders", route(any(), forward("orders", Resending.of(SHADOW), Duration.ZERO))))
                .cluster("orders")
                .cluster("shadow", 7));

        assertThat(mesh.reply(Request.get("orders", "/")).status()).isEqualTo(503);
        assertThat(mirrored).isEmpty();
    }

    @Test
    void aFaultOfTheMirrorIsNotTheOriginals() {
        List<String> faults = new ArrayList<>();
        Fixture mesh = new Fixture((where, fault) -> faults.add(where));
        mesh.apply(snapshot()
                .routes(host("orders", route(any(), forward("orders", Resending.of(SHADOW), Duration.ZERO))))
                .cluster("orders", 1)
                .cluster("shadow", 7));
        mesh.dataPlane.mirrorsBy(request -> {
            throw new IllegalStateException("the sender is broken");
        });

        mesh.dialled(Request.get("orders", "/"));
        assertThat(faults).containsExactly("mirroring");
    }
}
