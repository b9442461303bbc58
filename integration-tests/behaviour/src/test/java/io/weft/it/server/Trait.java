package io.weft.it.server;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.function.Predicate;
import org.junit.jupiter.api.TestInfo;

/** What only some servers have. */
enum Trait {
    SPEAKS_HTTP_2("It speaks HTTP/1.1 only, as its driver makes it.", Server::speaksHttp2),
    SPEAKS_HTTP_2_UNASKED("It speaks HTTP/1.1 only, as its driver makes it, or HTTP/2 in plaintext only after an upgrade.", Server::speaksHttp2Unasked),
    SPEAKS_WEB_SOCKET("Its driver sends no files over HTTP/2 and knows no WebSocket.", Server::speaksWebSocket),
    SENDS_FILES("Its driver sends no files.", Server::sendsFiles),
    HAS_THREADS_FOR_REQUESTS("Its driver serves requests on the threads of its connections, none of which may wait for the end of the JVM; or, as Micronaut does, on others that "
            + "Netty knows nothing of, so that a request that ends the JVM is waited for as any other.",
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
