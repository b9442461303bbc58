package io.weft.benchmarks;

import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Library;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** A library whose {@link Overhead} is a figure of its own, in its newest version, by the driver that the behaviour suite steers, too. */
enum MeasuredLibrary {
    JAVA_NET_HTTP(Side.CLIENT, "java.net.http", "JavaNetHttp", null),
    HTTP_URL_CONNECTION(Side.CLIENT, "HttpURLConnection", "HttpUrlConnection", null),
    APACHE_HTTP_CLIENT_4(Side.CLIENT, "Apache HttpClient", "ApacheHttpClient4", "httpclient4"),
    APACHE_HTTP_ASYNC_CLIENT_4(Side.CLIENT, "Apache HttpAsyncClient", "ApacheHttpAsyncClient4", "httpasyncclient4"),
    APACHE_HTTP_CLIENT_5(Side.CLIENT, "Apache HttpClient", "ApacheHttpClient5", "httpclient5"),
    APACHE_HTTP_ASYNC_CLIENT_5(Side.CLIENT, "Apache HttpClient, async,", "ApacheHttpAsyncClient5", "httpclient5"),
    OK_HTTP(Side.CLIENT, "OkHttp", "OkHttp", "okhttp"),
    REACTOR_NETTY(Side.CLIENT, "Reactor Netty", "ReactorNetty", "reactor-netty"),
    JETTY_CLIENT(Side.CLIENT, "Jetty HttpClient", "JettyClient", "jetty-client"),
    VERTX(Side.CLIENT, "Vert.x", "VertxClient", "vertx"),
    ASYNC_HTTP_CLIENT(Side.CLIENT, "AsyncHttpClient", "AsyncHttpClients", "async-http-client"),
    ARMERIA(Side.CLIENT, "Armeria", "ArmeriaClient", "armeria"),
    MICRONAUT(Side.CLIENT, "Micronaut", "MicronautClient", "micronaut"),
    HELIDON(Side.CLIENT, "Helidon", "HelidonClient", "helidon"),

    TOMCAT_SERVER(Side.SERVER, "Tomcat", "tomcat.jakarta.TomcatServer", "tomcat"),
    JETTY_SERVER(Side.SERVER, "Jetty", "jetty.jakarta.JettyServer", "jetty"),
    UNDERTOW_SERVER(Side.SERVER, "Undertow", "UndertowServer", "undertow"),
    JDK_SERVER(Side.SERVER, "com.sun.net.httpserver", "JdkHttpServer", null),
    NETTY_SERVER(Side.SERVER, "Netty codec", "NettyServer", "netty"),
    REACTOR_NETTY_SERVER(Side.SERVER, "Reactor Netty", "ReactorNettyServer", "reactor-netty"),
    VERTX_SERVER(Side.SERVER, "Vert.x", "VertxServer", "vertx"),
    ARMERIA_SERVER(Side.SERVER, "Armeria", "ArmeriaServer", "armeria"),
    MICRONAUT_SERVER(Side.SERVER, "Micronaut", "MicronautServer", "micronaut"),
    HELIDON_SERVER(Side.SERVER, "Helidon", "HelidonServer", "helidon"),

    /** Its own client and server. */
    GRPC(Side.BOTH, "gRPC", null, null);

    private static final int FIRST_OF_HELIDON = 21;

    enum Side { CLIENT, SERVER, BOTH }

    final Side side;
    private final String product;
    private final String driver;
    /** Null: part of the JDK. */
    private final String library;

    MeasuredLibrary(Side side, String product, String driver, String library) {
        this.side = side;
        this.product = product;
        this.driver = "io.weft.driver." + driver;
        this.library = library;
    }

    /** As in {@code ok-http} or {@code tomcat-server}. */
    String id() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** For people, with the version. */
    String title() {
        return jars().map(jars -> product + " " + jars.version()).orElse(product);
    }

    boolean runsOn(int jdk) {
        return this != HELIDON && this != HELIDON_SERVER || jdk >= FIRST_OF_HELIDON;
    }

    /** With a program at the other end that does as little as it can. */
    Apps apps() {
        return switch (side) {
            case CLIENT -> new Apps(this::start, Apps.LEAN.server(), Apps.LEAN.url());
            case SERVER -> new Apps(Apps.LEAN.client(), this::start, Apps.LEAN.url());
            case BOTH -> Grpc.apps();
        };
    }

    private JvmProcess start(JvmCommand command) {
        // Without it every answer waits for the client's delayed acknowledgement.
        JvmCommand prompt = this == JDK_SERVER ? command.option("-Dsun.net.httpserver.nodelay=true") : command;
        return jars().map(prompt::classPath).orElse(prompt).driver(driver, Pair.SERVICE);
    }

    private Optional<Library> jars() {
        return Optional.ofNullable(library).map(Library::newest);
    }

    interface Measurement {
        void of(MeasuredLibrary library) throws Exception;
    }

    /** @throws IllegalStateException some could not be measured */
    static void each(Settings settings, Measurement measurement) {
        Map<String, Throwable> failed = new LinkedHashMap<>();
        for (MeasuredLibrary library : Stream.of(values()).filter(settings::concerns).toList()) {
            try {
                measurement.of(library);
            } catch (Exception | AssertionError failure) {
                // The others take their time, and are worth having.
                failed.put(library.id(), failure);
            }
        }
        if (!failed.isEmpty()) {
            IllegalStateException all = new IllegalStateException("not measured: " + String.join(", ", failed.keySet()));
            failed.values().forEach(all::addSuppressed);
            throw all;
        }
    }

    static List<String> ids() {
        return List.of(values()).stream().map(MeasuredLibrary::id).toList();
    }
}
