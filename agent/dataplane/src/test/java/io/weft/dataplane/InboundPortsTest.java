package io.weft.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.Inbound.Port;
import io.weft.dataplane.InboundPorts.PortInfo;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class InboundPortsTest {
    private static final InetSocketAddress ADDRESS = new InetSocketAddress("0.0.0.0", 8080);

    private final DataPlane dataPlane = DataPlane.start(Duration.ZERO, new SimulatedTime(), Fixture.NO_FAULTS, Self.UNKNOWN);
    private final InboundPorts ports = dataPlane.inbound();

    private static PortInfo info(String library, boolean draining) {
        return new PortInfo(library, ADDRESS, false, draining);
    }

    @Test
    void theListenerHearsOfEveryChange() {
        List<Set<PortInfo>> heard = new ArrayList<>();
        Port tomcat = ports.opened("tomcat", ADDRESS, false);
        ports.onChange(heard::add);
        Port other = ports.opened("jdk-httpserver", ADDRESS, false);
        tomcat.close();
        tomcat.close();
        ports.beginDrain();
        ports.beginDrain();
        other.close();

        assertThat(heard)
                .containsExactly(
                        Set.of(info("tomcat", false)),
                        Set.of(info("tomcat", false), info("jdk-httpserver", false)),
                        Set.of(info("jdk-httpserver", false)),
                        Set.of(info("jdk-httpserver", true)),
                        Set.of());
    }

    @Test
    void drainingIsSaidToEveryPortAlsoToALaterOne() {
        Port before = ports.opened("tomcat", ADDRESS, false);
        assertThat(before.draining()).isFalse();

        ports.beginDrain();

        assertThat(before.draining()).isTrue();
        assertThat(ports.opened("tomcat", ADDRESS, true).draining()).isTrue();
        assertThat(ports.ports()).containsExactly(info("tomcat", true), new PortInfo("tomcat", ADDRESS, true, true));
    }

    @Test
    void callersAreToldOnceAndAfterTheControlPlane() {
        List<String> order = new ArrayList<>();
        Port port = ports.opened("tomcat", ADDRESS, false);
        port.onDrain(() -> order.add("told"));
        ports.onChange(open -> order.add(open.iterator().next().draining() ? "withdrawn" : "registered"));
        Incoming request = Incoming.get("/");
        port.enter(request);
        ports.beginDrain();
        ports.beginDrain();
        assertThat(request.draining()).isTrue();
        assertThat(request.goesAway()).as("what else is under way on its connection may go on").isFalse();

        ports.tellCallers();
        ports.tellCallers();
        assertThat(request.goesAway()).isTrue();
        assertThat(order).containsExactly("registered", "withdrawn", "told");
    }

    @Test
    void theDrainWaitsForWhatIsInFlight() throws Exception {
        Port port = ports.opened("tomcat", ADDRESS, false);
        assertThat(ports.awaitIdle(Duration.ZERO)).isTrue();
        Incoming first = Incoming.get("/");
        Incoming second = Incoming.get("/");
        port.enter(first);
        port.enter(second);
        first.next();
        second.next();
        second.end();
        port.close();

        assertThat(ports.inFlight()).isEqualTo(1);
        assertThat(ports.awaitIdle(Duration.ofMillis(20))).isFalse();

        CountDownLatch waiting = new CountDownLatch(1);
        CompletableFuture<Boolean> idle = CompletableFuture.supplyAsync(() -> {
            waiting.countDown();
            try {
                return ports.awaitIdle(Duration.ofMinutes(1));
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        assertThat(waiting.await(10, TimeUnit.SECONDS)).isTrue();
        first.end();
        assertThat(idle.get(10, TimeUnit.SECONDS)).isTrue();
    }

    /** {@code System.exit} on the thread of a request runs the drain on that thread. */
    @Test
    void theDrainDoesNotWaitForTheRequestThatEndsTheJvm() throws Exception {
        Port port = ports.opened("tomcat", ADDRESS, false);
        Thread own = Thread.currentThread();
        port.ownRequest(() -> Thread.currentThread() == own);
        Incoming exiting = Incoming.get("/exit");
        Incoming other = Incoming.get("/");
        port.enter(exiting);
        port.enter(other);

        assertThat(ports.awaitIdle(Duration.ofMillis(20))).as("the other one is waited for").isFalse();
        other.end();
        assertThat(ports.awaitIdle(Duration.ofMinutes(1))).isTrue();
        assertThat(ports.inFlight()).isEqualTo(1);
    }
}
