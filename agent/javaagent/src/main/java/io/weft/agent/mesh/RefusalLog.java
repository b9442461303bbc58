package io.weft.agent.mesh;

import io.weft.agent.log.AgentLog;
import io.weft.dataplane.Caller;
import io.weft.dataplane.Connection;
import io.weft.dataplane.Refusals;
import io.weft.dataplane.Rejection;
import io.weft.dataplane.RequestHead;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Says at debug level whom access control refused, and by which rule, and which connections were closed; aloud, and once, what of
 * that an operator has to know. The request only hands on; what comes faster than it can be
 * written is left out and counted.
 */
final class RefusalLog implements Refusals {
    private static final int MOST_WAITING = 1_000;

    private final Background background;
    private final AgentLog log;
    private final AtomicInteger waiting = new AtomicInteger();
    private final AtomicInteger leftOut = new AtomicInteger();

    RefusalLog(Background background, AgentLog log) {
        this.background = background;
        this.log = log;
    }

    @Override
    public boolean heard() {
        return log.isDebug();
    }

    @Override
    public void refused(String rule, Caller caller) {
        RequestHead head = caller.head();
        String what = head.method() + ' ' + head.path();
        Connection connection = caller.connection();
        hand(() -> log.debug("refused by rule '" + rule + "': " + what + " from " + connection.texts().remoteIp + " ("
                + peer(connection.peer()) + ')'));
    }

    private void hand(Runnable line) {
        if (waiting.incrementAndGet() > MOST_WAITING) {
            waiting.decrementAndGet();
            leftOut.incrementAndGet();
            return;
        }
        background.run("log a refusal", () -> {
            waiting.decrementAndGet();
            line.run();
            int missing = leftOut.getAndSet(0);
            if (missing > 0) {
                log.debug("refused " + missing + " more");
            }
        });
    }

    @Override
    public void connectionRefused(Rejection why, Connection connection) {
        if (why.isNews()) {
            int port = connection.localPort();
            background.run("log a refusal", () -> log.warnOnce(why + " " + port,
                    "port " + port + " closes connections: " + why.text()));
        } else if (heard()) {
            hand(() -> log.debug("closed a connection from " + connection.texts().remoteIp + " to port " + connection.localPort() + ": "
                    + why.text()));
        }
    }

    private static String peer(Connection.Peer peer) {
        if (peer == null) {
            return "no identity";
        }
        List<String> names = peer.uriSans().isEmpty() ? peer.dnsSans() : peer.uriSans();
        return names.isEmpty() ? "no name" : String.join(", ", names);
    }
}
