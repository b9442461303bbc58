package io.weft.it.client;

import io.weft.driver.ApacheHttpAsyncClient4;
import io.weft.driver.ApacheHttpAsyncClient5;
import io.weft.driver.ApacheHttpClient4;
import io.weft.driver.ApacheHttpClient5;
import io.weft.driver.ArmeriaClient;
import io.weft.driver.AsyncHttpClients;
import io.weft.driver.HelidonClient;
import io.weft.driver.HttpUrlConnection;
import io.weft.driver.JavaNetHttp;
import io.weft.driver.JettyClient;
import io.weft.driver.JettyClientBefore12;
import io.weft.driver.MicronautClient;
import io.weft.driver.OkHttp;
import io.weft.driver.ReactorNetty;
import io.weft.driver.VertxClient;
import io.weft.it.harness.FaultyAgent;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.Library;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.ArgumentsProvider;
import org.junit.jupiter.params.support.ParameterDeclarations;

/** A client library in one version. One that joins here has to meet every expectation of {@link ClientIT}. */
enum Client {
    JAVA_NET_HTTP("`java.net.http`", JavaNetHttp.class, null, Span.EVERY_JDK, "javanethttp.Attempts#start"),
    HTTP_URL_CONNECTION("`HttpURLConnection`", HttpUrlConnection.class, null, Span.EVERY_JDK, "httpurlconnection.MeshHttpClient#open"),
    APACHE_HTTP_CLIENT_4_3("Apache HttpClient 4.3", ApacheHttpClient4.class, "httpclient4-4.3", Span.OLDEST_JDK, "apachehttpclient4.StandIns#of"),
    APACHE_HTTP_CLIENT_4_5("Apache HttpClient 4.5", ApacheHttpClient4.class, "httpclient4-4.5", Span.NEWEST_JDK, "apachehttpclient4.StandIns#of"),
    APACHE_HTTP_ASYNC_CLIENT_4_1("Apache HttpAsyncClient 4.1", ApacheHttpAsyncClient4.class, "httpasyncclient4-4.1", Span.OLDEST_JDK, "apachehttpclient4.AsyncHop#<init>"),
    APACHE_HTTP_ASYNC_CLIENT_4_1_5("Apache HttpAsyncClient 4.1.5", ApacheHttpAsyncClient4.class, "httpasyncclient4-4.1.5", Span.NEWEST_JDK, "apachehttpclient4.AsyncHop#<init>"),
    APACHE_HTTP_CLIENT_5_0("Apache HttpClient 5.0", ApacheHttpClient5.class, "httpclient5-5.0", Span.EVERY_JDK, "apachehttpclient5.MeshRuntime#<init>"),
    APACHE_HTTP_CLIENT_5_6("Apache HttpClient 5.6", ApacheHttpClient5.class, "httpclient5-5.6", Span.EVERY_JDK, "apachehttpclient5.MeshRuntime#<init>"),
    APACHE_HTTP_ASYNC_CLIENT_5_0("Apache HttpClient 5.0 async", ApacheHttpAsyncClient5.class, "httpclient5-5.0", Span.OLDEST_JDK, "apachehttpclient5.AsyncMeshRuntime#<init>"),
    APACHE_HTTP_ASYNC_CLIENT_5_6("Apache HttpClient 5.6 async", ApacheHttpAsyncClient5.class, "httpclient5-5.6", Span.NEWEST_JDK, "apachehttpclient5.AsyncMeshRuntime#<init>"),
    OK_HTTP_3_12("OkHttp 3.12", OkHttp.class, "okhttp-3.12", Span.OLDEST_JDK, "okhttp.Attempt#address"),
    OK_HTTP_3_14("OkHttp 3.14", OkHttp.class, "okhttp-3.14", Span.NEWEST_JDK, "okhttp.Attempt#address"),
    OK_HTTP_4("OkHttp 4", OkHttp.class, "okhttp-4", Span.OLDEST_JDK, "okhttp.Attempt#address"),
    OK_HTTP_5("OkHttp 5", OkHttp.class, "okhttp-5", Span.NEWEST_JDK, "okhttp.Attempt#address"),
    REACTOR_NETTY_1_0("Reactor Netty 1.0", ReactorNetty.class, "reactor-netty-1.0", Span.OLDEST_JDK, "reactornetty.Hop#<init>"),
    REACTOR_NETTY_1_3("Reactor Netty 1.3", ReactorNetty.class, "reactor-netty-1.3", Span.NEWEST_JDK, "reactornetty.Hop#<init>"),
    JETTY_CLIENT_9_4("Jetty HttpClient 9.4", JettyClientBefore12.class, "jetty-client-9.4", Span.OLDEST_JDK, "jettyclientbefore12.Internals#sent"),
    JETTY_CLIENT_10("Jetty HttpClient 10", JettyClientBefore12.class, "jetty-client-10", Span.OLDEST_JDK, "jettyclientbefore12.Internals#sent"),
    JETTY_CLIENT_11("Jetty HttpClient 11", JettyClientBefore12.class, "jetty-client-11", Span.NEWEST_JDK, "jettyclientbefore12.Internals#sent"),
    JETTY_CLIENT_12_0("Jetty HttpClient 12.0", JettyClient.class, "jetty-client-12.0", Span.OLDEST_JDK, "jettyclient.Internals#sent"),
    JETTY_CLIENT_12("Jetty HttpClient 12", JettyClient.class, "jetty-client-12", Span.NEWEST_JDK, "jettyclient.Internals#sent"),
    ASYNC_HTTP_CLIENT_2_12("AsyncHttpClient 2.12", AsyncHttpClients.class, "async-http-client-2.12", Span.OLDEST_JDK, "asynchttpclient.Hop#<init>"),
    ASYNC_HTTP_CLIENT_3_0("AsyncHttpClient 3.0", AsyncHttpClients.class, "async-http-client-3.0", Span.NEWEST_JDK, "asynchttpclient.Hop#<init>"),
    VERTX_4_0("Vert.x 4.0", VertxClient.class, "vertx-4.0", Span.OLDEST_JDK, "vertx.InternalsBefore45#towards"),
    VERTX_4_5("Vert.x 4.5", VertxClient.class, "vertx-4.5", Span.OLDEST_JDK, "vertx.InternalsSince45#towards"),
    VERTX_5("Vert.x 5", VertxClient.class, "vertx-5", Span.NEWEST_JDK, "vertx.InternalsSince45#towards"),
    HELIDON_4_0("Helidon 4.0", HelidonClient.class, "helidon-webclient-4.0", Span.SINCE_21, "helidon.Attempt#lead"),
    HELIDON_4_5("Helidon 4.5", HelidonClient.class, "helidon-4.5", Span.SINCE_21, "helidon.Attempt#lead"),
    ARMERIA_1_24("Armeria 1.24", ArmeriaClient.class, "armeria-1.24", Span.OLDEST_JDK, "armeriaclient.Hop#context"),
    ARMERIA_1_40("Armeria 1.40", ArmeriaClient.class, "armeria-1.40", Span.NEWEST_JDK, "armeriaclient.Hop#context"),
    MICRONAUT_4_0("Micronaut 4.0", MicronautClient.class, "micronaut-4.0", Span.OLDEST_JDK, "micronauthttpclient.Hop#way"),
    MICRONAUT_4_10("Micronaut 4.10", MicronautClient.class, "micronaut-4.10", Span.NEWEST_JDK, "micronauthttpclient.Hop#way");

    private static final Comparator<Jdk> BY_FEATURE = Comparator.comparingInt(Jdk::feature);

    /** Of the matrix of JDKs, what a version runs on: old versions mostly on old JDKs, so that a library costs CI no more than one. */
    private enum Span {
        EVERY_JDK, OLDEST_JDK, NEWEST_JDK,
        /** On the newest, for classes that are Java 21's. */
        SINCE_21
    }

    /** For people, with the version. */
    final String title;

    final Class<?> driver;

    /** Null: part of the JDK. */
    private final String library;

    private final Span span;

    private final String leading;

    /** @param leading by what its adapter leads a request to an endpoint */
    Client(String title, Class<?> driver, String library, Span span, String leading) {
        this.title = title;
        this.driver = driver;
        this.library = library;
        this.span = span;
        this.leading = leading;
    }

    /** The agent with a fault where it leads a request to an endpoint and, for requests of such a path, before it knows any. */
    Path faultyAgent(Path folder, String lost) {
        return FaultyAgent.make(folder.resolve("faulty-agent.jar"), "io.weft.instrumentation." + leading, lost);
    }

    JvmCommand on(JvmCommand jvm) {
        if (driver == ApacheHttpAsyncClient4.class || driver == ApacheHttpAsyncClient5.class) {
            // Nothing runs there: the library needs none of its threads, and an app may have all of them waiting for requests.
            jvm = jvm.option("-Djava.util.concurrent.ForkJoinPool.common.parallelism=0");
        }
        return library == null ? jvm : jvm.classPath(Library.named(library));
    }

    /** Of a server on the usual port, as it says it of a request. */
    String host(String name) {
        return this == HELIDON_4_0 || this == HELIDON_4_5 ? name + ":80" : name;
    }

    /** As it writes a space in a query. */
    String query(String query) {
        return this == ARMERIA_1_24 || this == ARMERIA_1_40 ? query.replace("%20", "+") : query;
    }

    /** A relative redirect, as it understands one: Reactor Netty 1.0.0 takes what has no slash for a host. */
    String relative(String path) {
        return this == REACTOR_NETTY_1_0 ? '/' + path : path;
    }

    /** The path that it takes a relative redirect for. */
    String resolved(String path) {
        return this == ARMERIA_1_40 ? '/' + path : path;
    }

    /** By a response's length the library takes it that there is a body, which nobody has read. */
    boolean closesAfterHead() {
        return this == HELIDON_4_0 || this == HELIDON_4_5;
    }

    /** Of a chunked body whose connection ends it takes what came for all of it. */
    boolean takesHalfForWhole() {
        return this == MICRONAUT_4_0 || this == APACHE_HTTP_CLIENT_4_3;
    }

    /** To where a POST is redirected it sends another one, as Reactor Netty 1.0.0, or what says that a body follows, which does not. */
    boolean redirectsPostsOtherwise() {
        return this == VERTX_4_0 || this == REACTOR_NETTY_1_0;
    }

    /** The app's own limit for a connection is also that of a handshake; else it has what policy says. */
    boolean limitsHandshakes() {
        return this != APACHE_HTTP_ASYNC_CLIENT_4_1 && this != APACHE_HTTP_ASYNC_CLIENT_4_1_5
                && this != APACHE_HTTP_ASYNC_CLIENT_5_0 && this != APACHE_HTTP_ASYNC_CLIENT_5_6;
    }

    /** What cannot be read as a response is the endpoint's failure; else nobody's. */
    boolean tellsWhatIsNoResponse() {
        return this != HELIDON_4_0 && this != HELIDON_4_5;
    }

    /** It has no limit for redirects. */
    boolean followsForEver() {
        return this == MICRONAUT_4_0;
    }

    /** The app has its answer before the pool has the connection back, so that the next request may need another one. */
    boolean answersFirst() {
        return this == MICRONAUT_4_0 || this == MICRONAUT_4_10;
    }

    /** It gives a connection back to its pool with what comes after the body, and takes that for the next response. */
    boolean leavesTrailers() {
        return this == HELIDON_4_0 || this == HELIDON_4_5;
    }

    /** For people, of the JDKs of CI. */
    String jdks() {
        return switch (span) {
            case EVERY_JDK -> "every one";
            case OLDEST_JDK -> "the oldest";
            case NEWEST_JDK, SINCE_21 -> "the newest";
        };
    }

    private boolean runsOn(Jdk jdk, List<Jdk> matrix) {
        return switch (span) {
            case EVERY_JDK -> library == null || matrix.contains(jdk);
            case OLDEST_JDK -> jdk.equals(Collections.min(matrix, BY_FEATURE));
            case NEWEST_JDK -> jdk.equals(Collections.max(matrix, BY_FEATURE));
            case SINCE_21 -> jdk.feature() >= 21 && jdk.equals(Collections.max(matrix, BY_FEATURE));
        };
    }

    /**
     * Every client on those JDKs of the matrix that it runs on; with the system property {@code weft.it.client} those whose name begins
     * so, as in {@code OK_HTTP} or {@code JETTY,HELIDON}.
     */
    static final class Matrix implements ArgumentsProvider {
        @Override
        public Stream<? extends Arguments> provideArguments(ParameterDeclarations parameters, ExtensionContext context) {
            List<Jdk> jdks = Jdks.matrix();
            List<String> only = List.of(System.getProperty("weft.it.client", "").split(","));
            return Jdks.everyRelease().stream().flatMap(jdk -> Stream.of(values())
                    .filter(client -> only.stream().anyMatch(client.name()::startsWith) && client.runsOn(jdk, jdks))
                    .map(client -> Arguments.of(jdk, client)));
        }
    }
}
