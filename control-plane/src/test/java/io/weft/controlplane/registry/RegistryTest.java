package io.weft.controlplane.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weft.controlplane.policy.ResourceParser;
import io.weft.controlplane.registry.Registry.Health;
import io.weft.controlplane.registry.Registry.StreamId;
import io.weft.controlplane.token.Proof;
import io.weft.controlplane.token.Token;
import io.weft.controlplane.xds.Nodes;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RegistryTest {

    private static final Duration GRACE = Duration.ofSeconds(2);
    private static final String ID = "default.orders-1";
    private static final StreamId FIRST = new StreamId(1);
    private static final StreamId SECOND = new StreamId(2);
    private static final StreamId THIRD = new StreamId(3);

    private final SimulatedScheduler scheduler = new SimulatedScheduler();
    private final NodeReader reader = new NodeReader(new ResourceParser());
    private long nanos;
    private Registry registry = registry();

    @AfterEach
    void stop() {
        scheduler.shutdownNow();
    }

    private Registry registry() {
        return new Registry(reader, GRACE, () -> nanos, scheduler, () -> {});
    }

    private void pass(Duration time) {
        nanos += time.toNanos();
        scheduler.advance(time.toNanos());
    }

    /** Lets everybody in. */
    private static class Open implements Registry.Gate<IOException> {
        @Override
        public void succeeds(ClientNode holder) throws IOException {}

        @Override
        public void joins(int others) throws IOException {}
    }

    private void register(StreamId stream, int... ports) throws Exception {
        var node = Nodes.agent("orders", "1", IntStream.of(ports)
                .mapToObj(port -> "{\"port\":%d,\"tags\":{\"kuma.io/service\":\"orders\"}}".formatted(port))
                .toArray(String[]::new));
        registry.register(stream, reader.read(node), NodeReader.resource(node), Optional.empty(), new Open());
    }

    private List<Integer> ports() {
        return registry.instances("default").stream().map(each -> each.dataplane().inbounds().get(0).port()).toList();
    }

    private static Set<ClientNode.Address> addresses(int... ports) {
        return IntStream.of(ports).mapToObj(port -> new ClientNode.Address("127.0.0.1", port)).collect(Collectors.toSet());
    }

    private Set<ClientNode.Address> secured() {
        return registry.instances("default").get(0).secured().orElseThrow();
    }

    private Health health() {
        return registry.instances("default").get(0).health();
    }

    @Test
    void whoseStreamBreaksIsUnhealthyUntilTheGraceIsOver() throws Exception {
        register(FIRST, 8081);
        registry.lose(FIRST, ID);
        pass(GRACE.minusNanos(1));
        assertThat(health()).isEqualTo(Health.UNHEALTHY);
        pass(Duration.ofNanos(1));
        assertThat(ports()).isEmpty();
    }

    @Test
    void whoComesBackStays() throws Exception {
        register(FIRST, 8081);
        registry.lose(FIRST, ID);
        pass(GRACE.dividedBy(2));
        register(SECOND, 8081);
        pass(GRACE);
        assertThat(health()).isEqualTo(Health.HEALTHY);
    }

    /** The scheduler's clock and ours need not agree. */
    @Test
    void aLookThatComesTooSoonIsNotTheLast() throws Exception {
        register(FIRST, 8081);
        registry.lose(FIRST, ID);
        scheduler.advance(GRACE.toNanos());
        assertThat(ports()).containsExactly(8081);
        pass(GRACE);
        assertThat(ports()).isEmpty();
    }

    @Test
    void eachHasAGraceOfItsOwn() throws Exception {
        register(FIRST, 8081);
        var other = Nodes.agent("orders", "2", 8082, "v1");
        registry.register(SECOND, reader.read(other), NodeReader.resource(other), Optional.empty(), new Open());
        registry.lose(FIRST, ID);
        pass(GRACE.dividedBy(2));
        registry.lose(SECOND, "default.orders-2");
        pass(GRACE.dividedBy(2));
        assertThat(ports()).containsExactly(8082);
        pass(GRACE.dividedBy(2));
        assertThat(ports()).isEmpty();
    }

    /** Reading the policies may take long; nobody can come back before the port is open. */
    @Test
    void theRestoredHaveTheirTimeFromWhenTheyCanConnect() throws Exception {
        register(FIRST, 8081);
        List<SavedRegistration> saved = registry.save();
        registry = registry();
        registry.restore(saved);
        pass(Registry.RETURN.multipliedBy(2));
        assertThat(ports()).containsExactly(8081);
        registry.open();
        pass(Registry.RETURN.minusNanos(1));
        assertThat(ports()).containsExactly(8081);
        pass(Duration.ofNanos(1));
        assertThat(ports()).isEmpty();
    }

    @Test
    void theGraceOfTheRestoredDoesNotPutOffThatOfOthers() throws Exception {
        register(FIRST, 8081);
        List<SavedRegistration> saved = registry.save();
        registry = registry();
        registry.restore(saved);
        registry.open();
        register(FIRST, 8081);
        var other = Nodes.agent("orders", "2", 8082, "v1");
        registry.register(SECOND, reader.read(other), NodeReader.resource(other), Optional.empty(), new Open());
        registry.lose(SECOND, "default.orders-2");
        pass(GRACE);
        assertThat(ports()).containsExactly(8081);
    }

    @Test
    void ofTwoDataPlanesWithOneIdTheNewerOneCountsForAsLongAsItIsThere() throws Exception {
        register(FIRST, 8081);
        register(SECOND, 8091);
        assertThat(ports()).containsExactly(8091);
        registry.leave(SECOND, ID);
        assertThat(ports()).containsExactly(8081);
        assertThat(health()).isEqualTo(Health.HEALTHY);

        register(THIRD, 8091);
        registry.lose(THIRD, ID);
        assertThat(ports()).containsExactly(8081);
        assertThat(health()).isEqualTo(Health.HEALTHY);
        pass(GRACE.multipliedBy(2));
        assertThat(ports()).containsExactly(8081);
        registry.leave(FIRST, ID);
        assertThat(ports()).isEmpty();
    }

    @Test
    void whatTheOlderOneSaysMeanwhileCountsLater() throws Exception {
        register(FIRST, 8081);
        register(SECOND, 8091);
        register(FIRST, 8082);
        registry.secured(FIRST, ID, addresses(8082));
        assertThat(ports()).containsExactly(8091);
        assertThat(secured()).isEmpty();
        registry.leave(SECOND, ID);
        assertThat(ports()).containsExactly(8082);
        assertThat(secured()).isEqualTo(addresses(8082));
    }

    /** Its old stream may be half-open and end much later, or never say anything again. */
    @Test
    void aDataPlaneThatCameBackIsNotItsOwnDuplicate() throws Exception {
        register(FIRST, 8081);
        registry.secured(FIRST, ID, addresses(8081));
        register(SECOND, 8081);
        assertThat(secured()).isEqualTo(addresses(8081));
        register(FIRST, 8081);
        registry.leave(SECOND, ID);
        assertThat(ports()).isEmpty();
        registry.lose(FIRST, ID);
        assertThat(ports()).isEmpty();
    }

    /** Else the others would be called in plaintext, or not at all, for the moment until the new one is ready. */
    @Test
    void ofTheInboundsOnlyANewOneHasYetToSayThatItTakesMeshTls() throws Exception {
        register(FIRST, 8081);
        registry.secured(FIRST, ID, addresses(8081));
        register(FIRST, 8081, 8082);
        assertThat(secured()).isEqualTo(addresses(8081));

        List<SavedRegistration> saved = registry.save();
        registry = registry();
        registry.restore(saved);
        assertThat(secured()).as("after a restart").isEqualTo(addresses(8081));
        register(SECOND, 8081, 8082, 8083);
        assertThat(secured()).as("on another stream").isEqualTo(addresses(8081));

        registry.secured(SECOND, ID, addresses(8081, 8082, 8083));
        assertThat(secured()).isEqualTo(addresses(8081, 8082, 8083));
        register(SECOND, 8082);
        register(SECOND, 8081, 8082);
        assertThat(secured()).as("8081 was closed meanwhile").isEqualTo(addresses(8082));
    }

    @Test
    void whoMayNotHaveTheIdChangesNothing() throws Exception {
        register(FIRST, 8081);
        var thief = reader.read(Nodes.agent("orders", "1", 9999, "v1"));
        assertThatThrownBy(() -> registry.register(SECOND, thief, Optional.empty(), Optional.empty(), new Open() {
                    @Override
                    public void succeeds(ClientNode holder) throws IOException {
                        assertThat(holder.dataplane().orElseThrow().inbounds().get(0).port()).isEqualTo(8081);
                        throw new IOException("no");
                    }
                }))
                .hasMessage("no");
        registry.leave(SECOND, ID);
        assertThat(ports()).containsExactly(8081);
    }

    /** Else whoever opens and breaks one stream after the other would leave behind as many as he likes. */
    @Test
    void whoIsStillRememberedCountsAsOneOfItsOwner() throws Exception {
        Optional<Proof> owner = Optional.of(new Token("one", "default", "orders", Instant.EPOCH));
        List<Integer> others = new ArrayList<>();
        var counting = new Open() {
            @Override
            public void joins(int number) {
                others.add(number);
            }
        };
        for (int i = 1; i <= 3; i++) {
            var node = Nodes.agent("orders", "" + i, 8080 + i, "v1");
            registry.register(new StreamId(i), reader.read(node), NodeReader.resource(node), owner, counting);
        }
        registry.lose(FIRST, "default.orders-1");
        registry.leave(SECOND, "default.orders-2");
        var back = Nodes.agent("orders", "1", 8081, "v1");
        registry.register(new StreamId(4), reader.read(back), NodeReader.resource(back), owner, counting);
        assertThat(others).as("who comes back is none more").containsExactly(0, 1, 2);
        registry.lose(new StreamId(4), "default.orders-1");
        pass(GRACE);
        var last = Nodes.agent("orders", "5", 8085, "v1");
        registry.register(new StreamId(5), reader.read(last), NodeReader.resource(last), owner, counting);
        assertThat(others).containsExactly(0, 1, 2, 1);
    }
}
