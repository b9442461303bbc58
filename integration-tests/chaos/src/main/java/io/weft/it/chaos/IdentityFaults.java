package io.weft.it.chaos;

import io.weft.it.harness.Authority;
import io.weft.it.harness.Certified;
import io.weft.it.harness.Upstream;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;

/** Certificates, in a mesh that is strict. */
final class IdentityFaults {
    private static final String STRICT = """
            type: MeshTrafficPermission
            name: everybody
            spec: {rules: [{default: {allow: [{spiffeID: {type: Prefix, value: "spiffe://default.default.mesh.local/"}}]}}]}
            ---
            type: MeshTLS
            name: strict
            spec: {rules: [{default: {mode: Strict}}]}
            ---
            type: MeshIdentity
            name: everyone
            spec:
              selector: {dataplane: {matchLabels: {}}}
              provider: {type: Bundled, bundled: {autogenerate: {enabled: true}, certificateParameters: {expiry: %s}}}
            """;
    private static final Duration OVERLAP = Duration.ofSeconds(2);
    private static final int ROOTS = 2;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private IdentityFaults() {}

    static List<Fault> all() {
        return List.of(
                new Fault("certificates-rotated", "The root is replaced twice, while each request has a handshake of its own", Promise.NO_REQUEST_FAILS,
                        IdentityFaults::rotated).ofAgents(),
                new Fault("certificates-wrong", "A third instance has the name of the others by an authority that nobody knows", Promise.NO_REQUEST_FAILS,
                        IdentityFaults::wrong).ofAgents(),
                new Fault("certificates-expired", "The control plane is gone for longer than certificates last", Promise.FAILS_CLOSED, IdentityFaults::expired).ofAgents(),
                new Fault("control-plane-clock-jumps", "The clock of the control plane, which is the authority, jumps a day ahead, and two back", Promise.FAILS_OPEN,
                        IdentityFaults::clockJumps).ofAgents());
    }

    private static Count rotated(Shop shop) throws Exception {
        secured(shop, "1h");
        shop.closesConnections();
        shop.open();
        Count count = shop.underLoad(() -> {
            for (int i = 0; i < ROOTS; i++) {
                Awaitility.await().atMost(PATIENCE).until(() -> shop.controlPlane().rotateRoot(OVERLAP));
                shop.load().awaitRounds(2);
            }
            shop.last();
        });
        shop.awaitWell();
        return count;
    }

    /** Whom it answers something has gone wrong. */
    private static Count wrong(Shop shop) throws Exception {
        secured(shop, "1h");
        shop.open();
        Certified certified = new Authority("another mesh").certify("spiffe://default.default.mesh.local/workload/orders");
        Upstream stranger = shop.testbed().upstream("stranger", certified.trustingAnybody());
        Count count = shop.underLoad(() -> {
            shop.controlPlane().save("stranger.yaml", Shop.instance("stranger", "v1", stranger.address().getPort()));
            Awaitility.await().atMost(PATIENCE).until(() -> stranger.connections() > 0);
            shop.last();
        });
        shop.awaitWell();
        return count;
    }

    private static Count expired(Shop shop) throws Exception {
        secured(shop, "12s");
        shop.open();
        shop.controlPlane().process().kill();
        // From then on it stays so.
        Awaitility.await().atMost(PATIENCE).until(() -> Promise.FAILS_CLOSED.brokenBy(shop.batch()).isEmpty());
        Count count = shop.underLoad(shop::last);
        shop.controlPlane().start();
        shop.awaitWell();
        return count;
    }

    private static Count clockJumps(Shop shop) throws Exception {
        Clock clock = Clock.in(shop.testbed().temporaryFolder());
        shop.controlPlane().process().stop();
        shop.controlPlane().startsSo(clock::of);
        shop.controlPlane().start();
        secured(shop, "1h");
        shop.closesConnections();
        shop.open();
        Count count = shop.underLoad(() -> {
            clock.set(Duration.ofDays(1));
            shop.last();
            clock.set(Duration.ofDays(-1));
            shop.last();
            clock.set(Duration.ZERO);
        });
        shop.awaitWell();
        return count;
    }

    private static void secured(Shop shop, String lifetime) {
        shop.controlPlane().save("strict.yaml", STRICT.formatted(lifetime));
        shop.withTokens();
        shop.server("a", "v1");
        shop.server("b", "v1");
    }
}
