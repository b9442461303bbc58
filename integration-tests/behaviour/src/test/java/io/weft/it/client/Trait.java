package io.weft.it.client;

import java.util.EnumSet;
import java.util.Set;

/** What only some clients can do, or have. */
enum Trait {
    SEVERAL_ATTEMPTS_AT_ONCE("no", "One attempt at a time: a second one ends the first.", Client.JAVA_NET_HTTP),
    TAKES_IN_WHAT_NOBODY_READS(
            "no", "A response that nobody reads keeps its connection by the library's own rules, until its time limit is over.",
            Client.JAVA_NET_HTTP, Client.HTTP_URL_CONNECTION, Client.APACHE_HTTP_ASYNC_CLIENT_5_0, Client.APACHE_HTTP_ASYNC_CLIENT_5_6,
            Client.ASYNC_HTTP_CLIENT_2_12, Client.ASYNC_HTTP_CLIENT_3_0),
    LETS_GO_OF_WHAT_IS_DROPPED(
            "no", "The library keeps hold of a connection whose response the app has dropped unread, until its time limit is over.",
            Client.HTTP_URL_CONNECTION),
    TELLS_THE_SIZE_OF_WHAT_STREAMS(
            "no", "How long a body is that says no length is not told in metrics: what goes by is seen together with heads.",
            EnumSet.complementOf(EnumSet.of(Client.HTTP_URL_CONNECTION))),
    LIMITS_THE_WHOLE_REQUEST(
            "n.a.", "The driver limits single steps, to connect and to wait for an answer, and a pause between attempts is neither.",
            Client.JAVA_NET_HTTP, Client.JETTY_CLIENT_9_4, Client.JETTY_CLIENT_10, Client.JETTY_CLIENT_11, Client.JETTY_CLIENT_12_0, Client.JETTY_CLIENT_12,
            Client.ASYNC_HTTP_CLIENT_2_12, Client.ASYNC_HTTP_CLIENT_3_0, Client.VERTX_4_0, Client.VERTX_4_5, Client.VERTX_5, Client.ARMERIA_1_24, Client.ARMERIA_1_40,
            Client.MICRONAUT_4_0, Client.MICRONAUT_4_10),
    TELLS_WHO_CLOSES_A_CONNECTION(
            "n.a.", "An app may close the connection of a response that it still reads, and of that the library says the same as of one that the endpoint closes.",
            EnumSet.complementOf(EnumSet.of(Client.VERTX_4_0, Client.VERTX_4_5, Client.VERTX_5))),
    LEAVES_WHAT_BREAKS_OFF(
            "n.a.", "The library itself sends once more what breaks off in the middle of a response, as often as its `maxRequestRetry` says.",
            EnumSet.complementOf(EnumSet.of(Client.ASYNC_HTTP_CLIENT_2_12, Client.ASYNC_HTTP_CLIENT_3_0))),
    CANCELS(
            "n.a.", "The library has nothing that cancels a request but an interrupt of its thread, or keeps the connection of one that is cancelled, without the mesh, too.",
            EnumSet.complementOf(EnumSet.of(
                    Client.APACHE_HTTP_ASYNC_CLIENT_4_1, Client.APACHE_HTTP_ASYNC_CLIENT_5_0, Client.HELIDON_4_0, Client.HELIDON_4_5, Client.MICRONAUT_4_0, Client.MICRONAUT_4_10))),
    CANCELS_A_RESPONSE(
            "n.a.", "The library has nothing that cancels a request whose response comes in but an interrupt of its thread, or lets it go on or keeps its connection, without the mesh, too.",
            EnumSet.complementOf(EnumSet.of(
                    Client.HTTP_URL_CONNECTION, Client.APACHE_HTTP_ASYNC_CLIENT_4_1, Client.HELIDON_4_0, Client.HELIDON_4_5, Client.MICRONAUT_4_0, Client.MICRONAUT_4_10))),
    CANCELS_WHAT_BLOCKS(
            "n.a.", "The driver waits on no thread that is the request's, or the library has nothing that cancels such a one.",
            Client.HTTP_URL_CONNECTION, Client.APACHE_HTTP_CLIENT_4_3, Client.APACHE_HTTP_CLIENT_4_5, Client.APACHE_HTTP_CLIENT_5_0,
            Client.APACHE_HTTP_CLIENT_5_6, Client.OK_HTTP_3_12, Client.OK_HTTP_3_14, Client.OK_HTTP_4, Client.OK_HTTP_5),
    MAKES_REQUESTS_WAIT_FOR_CONNECTIONS(
            "n.a.", "The library opens as many connections as there are requests at once, or refuses those that are too many.",
            EnumSet.complementOf(EnumSet.of(
                    Client.JAVA_NET_HTTP, Client.HTTP_URL_CONNECTION, Client.OK_HTTP_3_12, Client.OK_HTTP_3_14, Client.OK_HTTP_4, Client.OK_HTTP_5,
                    Client.ASYNC_HTTP_CLIENT_2_12, Client.ASYNC_HTTP_CLIENT_3_0, Client.HELIDON_4_0, Client.HELIDON_4_5,
                    Client.ARMERIA_1_24, Client.ARMERIA_1_40))),
    READS_PAST_INTERIM_RESPONSES(
            "n.a.", "The library takes an interim response other than 100 for the final one, `HttpURLConnection` on JDK 17 alone, without the mesh, too.",
            EnumSet.complementOf(EnumSet.of(
                    Client.HTTP_URL_CONNECTION, Client.OK_HTTP_3_12, Client.OK_HTTP_3_14, Client.REACTOR_NETTY_1_0, Client.REACTOR_NETTY_1_3,
                    Client.JETTY_CLIENT_9_4, Client.JETTY_CLIENT_10, Client.JETTY_CLIENT_11, Client.ASYNC_HTTP_CLIENT_2_12, Client.ASYNC_HTTP_CLIENT_3_0,
                    Client.VERTX_4_0, Client.HELIDON_4_0, Client.HELIDON_4_5, Client.MICRONAUT_4_0, Client.MICRONAUT_4_10))),
    CLOSES_ITS_CLIENTS(
            "n.a.", "The driver closes no client: the library's have nothing to be closed, or share what they have, or tell what the last attempt has brought.",
            EnumSet.complementOf(EnumSet.of(
                    Client.JAVA_NET_HTTP, Client.HTTP_URL_CONNECTION, Client.OK_HTTP_3_12, Client.OK_HTTP_3_14, Client.OK_HTTP_4, Client.OK_HTTP_5,
                    Client.REACTOR_NETTY_1_0, Client.REACTOR_NETTY_1_3, Client.HELIDON_4_0, Client.HELIDON_4_5,
                    Client.ARMERIA_1_24, Client.ARMERIA_1_40, Client.MICRONAUT_4_0, Client.MICRONAUT_4_10))),
    UPGRADES_TO_HTTP_2("n.a.", "The driver speaks HTTP/1.1 to a plaintext URL, as the library does by itself.", Client.JAVA_NET_HTTP),
    HAS_BODY_HANDLERS("n.a.", "The library has nothing of that kind.", Client.JAVA_NET_HTTP),
    ASKS_A_COOKIE_HANDLER_OF_THE_APPS("n.a.", "The library has nothing of that kind that may throw.", Client.JAVA_NET_HTTP),
    RUNS_ON_AN_EXECUTOR_OF_THE_APPS("n.a.", "The driver gives the library no executor of its own.", Client.JAVA_NET_HTTP);

    /** Of those without: {@code no} where an operator would miss something, else {@code n.a.}. */
    final String without;

    final String reason;

    private final Set<Client> clients;

    Trait(String without, String reason, Client first, Client... others) {
        this.without = without;
        this.reason = reason;
        this.clients = EnumSet.of(first, others);
    }

    Trait(String without, String reason, Set<Client> clients) {
        this.without = without;
        this.reason = reason;
        this.clients = clients;
    }

    boolean isOf(Client client) {
        return clients.contains(client);
    }
}
