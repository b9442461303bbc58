package io.weft.instrumentation;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.Endpoint;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class IdleSocketsTest {
    private final List<MeshSocket> open = new ArrayList<>();
    private ServerSocket endpoint;
    private long now;

    @BeforeEach
    void listen() throws IOException {
        endpoint = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
    }

    @AfterEach
    void close() throws IOException {
        for (MeshSocket socket : open) {
            socket.close();
        }
        endpoint.close();
    }

    @Test
    void whatNobodyAsksForAgainIsClosedAndWhatIsInUseIsNot() throws IOException {
        IdleSockets idle = new IdleSockets(() -> now);
        MeshSocket forgotten = socket();
        MeshSocket used = socket();
        idle.add(forgotten, closing(forgotten));
        idle.add(used, closing(used));
        idle.remove(used);

        MeshSocket recent = socket();
        now += Duration.ofMinutes(4).toNanos();
        idle.add(recent, closing(recent));
        assertThat(forgotten.isClosed()).isFalse();

        now += Duration.ofMinutes(2).toNanos();
        MeshSocket next = socket();
        idle.add(next, closing(next));

        assertThat(forgotten.isClosed()).isTrue();
        assertThat(List.of(used, recent, next)).noneMatch(MeshSocket::isClosed);
        idle.remove(forgotten);
        assertThat(forgotten.isClosed()).isTrue();
    }

    @Test
    void whatIsGivenBackAgainIsIdleFromThenOn() throws IOException {
        IdleSockets idle = new IdleSockets(() -> now);
        MeshSocket busy = socket();
        for (int i = 0; i < 10; i++) {
            idle.add(busy, closing(busy));
            now += Duration.ofMinutes(3).toNanos();
            idle.remove(busy);
        }
        assertThat(busy.isClosed()).isFalse();
    }

    @Test
    void whatIsClosedInUseIsKeptNoLonger() throws Exception {
        IdleSockets idle = new IdleSockets(() -> now);
        for (int i = 0; i < 5; i++) {
            MeshSocket socket = socket();
            open.clear();
            idle.add(socket, closing(socket));
            idle.remove(socket);
            socket.close();
        }
        assertThat(idle.known()).isZero();
    }

    private MeshSocket socket() throws IOException {
        MeshSocket socket = MeshSocket.to(
                new Endpoint(new InetSocketAddress(InetAddress.getLoopbackAddress(), endpoint.getLocalPort()), null), Duration.ofSeconds(5).toNanos());
        socket.connect(null);
        open.add(socket);
        return socket;
    }

    private static Runnable closing(MeshSocket socket) {
        return () -> {
            try {
                socket.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        };
    }
}
