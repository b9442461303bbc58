package io.weft.agent.mesh;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.weft.agent.log.AgentLog;
import io.weft.dataplane.Caller;
import io.weft.dataplane.Connection;
import io.weft.dataplane.IpAddress;
import io.weft.dataplane.RequestHead;
import java.io.ByteArrayOutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class RefusalLogTest {
    private final ByteArrayOutputStream written = new ByteArrayOutputStream();

    /** {@code GET /admin} from 127.0.0.1. */
    private record Call(Connection.Peer peer) implements Caller, RequestHead {
        @Override
        public RequestHead head() {
            return this;
        }

        @Override
        public Connection connection() {
            return new Connection(new InetSocketAddress("127.0.0.1", 8080), new InetSocketAddress("127.0.0.1", 40_000), "", peer);
        }

        @Override
        public IpAddress clientIp() {
            return connection().remoteIp();
        }

        @Override
        public String method() {
            return "GET";
        }

        @Override
        public String scheme() {
            return "http";
        }

        @Override
        public String authority() {
            return "orders";
        }

        @Override
        public String path() {
            return "/admin";
        }

        @Override
        public String header(String name) {
            return null;
        }
    }

    private RefusalLog log(AgentLog.Level level) {
        AgentLog log = AgentLog.to(level, written);
        return new RefusalLog(new Background(log), log);
    }

    private void awaitLine(String line) {
        await().until(() -> written.toString(StandardCharsets.UTF_8).contains(line));
    }

    @Test
    void saysWhoWasRefusedAndByWhichRule() {
        RefusalLog log = log(AgentLog.Level.DEBUG);
        assertThat(log.heard()).isTrue();

        log.refused("no-admin", new Call(null));
        awaitLine("DEBUG refused by rule 'no-admin': GET /admin from 127.0.0.1 (no identity)");
        log.refused("-", new Call(new Connection.Peer(List.of("spiffe://mesh/a", "spiffe://mesh/b"), List.of("a.local"), "CN=a")));
        awaitLine("refused by rule '-': GET /admin from 127.0.0.1 (spiffe://mesh/a, spiffe://mesh/b)");
        log.refused("-", new Call(new Connection.Peer(List.of(), List.of(), "")));
        awaitLine("(no name)");
    }

    @Test
    void isNotAskedBelowDebug() {
        assertThat(log(AgentLog.Level.INFO).heard()).isFalse();
    }
}
