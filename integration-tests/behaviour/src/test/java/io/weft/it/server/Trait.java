package io.weft.it.server;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.function.Predicate;
import org.junit.jupiter.api.TestInfo;

/** What only some servers have. */
enum Trait {
    SPEAKS_HTTP_2("It speaks HTTP/1.1 only, as its driver makes it.", Server::speaksHttp2),
    SPEAKS_WEB_SOCKET("Its driver sends no files over HTTP/2 and knows no WebSocket.", Server::speaksWebSocket),
    SENDS_FILES("Its driver sends no files.", Server::sendsFiles),
    HAS_THREADS_FOR_REQUESTS("Its driver serves requests on the threads of its connections, none of which may wait for the end of the JVM.",
            Server::hasThreadsForRequests);

    final String reason;

    private final Predicate<Server> has;

    Trait(String reason, Predicate<Server> has) {
        this.reason = reason;
        this.has = has;
    }

    boolean isOf(Server server) {
        return has.test(server);
    }

    /** Before a test: it goes on only if the server has what it takes. */
    static void assume(TestInfo test, Server server) {
        Takes takes = test.getTestMethod().orElseThrow().getAnnotation(Takes.class);
        if (takes != null) {
            assumeTrue(takes.value().isOf(server), takes.value().reason);
        }
    }
}
