package io.weft.it.server;

import io.weft.it.harness.Jdk;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Library;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.ArgumentsProvider;
import org.junit.jupiter.params.support.ParameterDeclarations;

/** A server library in one version. One that joins here has to meet every expectation of {@link ServerIT}. */
enum Server {
    TOMCAT_8_5("Tomcat 8.5", "tomcat.javax.TomcatServer", "tomcat-8.5"),
    TOMCAT_9("Tomcat 9", "tomcat.javax.TomcatServer", "tomcat-9"),
    TOMCAT_10_1("Tomcat 10.1", "tomcat.jakarta.TomcatServer", "tomcat-10.1"),
    TOMCAT_11("Tomcat 11", "tomcat.jakarta.TomcatServer", "tomcat-11"),
    JETTY_9_4("Jetty 9.4", "jetty.javax.JettyServer", "jetty-9.4"),
    JETTY_10("Jetty 10", "jetty.javax.jetty10.JettyServer", "jetty-10"),
    JETTY_11("Jetty 11", "jetty.jakarta.jetty11.JettyServer", "jetty-11"),
    JETTY_12("Jetty 12", "jetty.jakarta.JettyServer", "jetty-12"),
    UNDERTOW_2_2("Undertow 2.2", "UndertowServer", "undertow-2.2"),
    UNDERTOW_2_4("Undertow 2.4", "UndertowServer", "undertow-2.4"),
    JDK_HTTP_SERVER("`com.sun.net.httpserver`", "JdkHttpServer", null),
    NETTY_4_1("Netty 4.1 codec", "NettyServer", "netty-4.1"),
    NETTY_4_2("Netty 4.2 codec", "NettyServer", "netty-4.2"),
    REACTOR_NETTY_1_0("Reactor Netty 1.0", "ReactorNettyServer", "reactor-netty-1.0"),
    REACTOR_NETTY_1_3("Reactor Netty 1.3", "ReactorNettyServer", "reactor-netty-1.3"),
    ARMERIA_1_24("Armeria 1.24", "ArmeriaServer", "armeria-1.24"),
    ARMERIA_1_40("Armeria 1.40", "ArmeriaServer", "armeria-1.40"),
    VERTX_4_0("Vert.x 4.0", "VertxServer", "vertx-4.0"),
    VERTX_5("Vert.x 5", "VertxServer", "vertx-5"),
    MICRONAUT_4_0("Micronaut 4.0", "MicronautServer", "micronaut-4.0"),
    MICRONAUT_4_10("Micronaut 4.10", "MicronautServer", "micronaut-4.10"),
    HELIDON_4_0("Helidon 4.0", "HelidonServer", "helidon-4.0"),
    HELIDON_4_5("Helidon 4.5", "HelidonServer", "helidon-4.5");

    private static final Set<Server> OLDEST = EnumSet.of(
            TOMCAT_8_5, TOMCAT_9, JETTY_9_4, JETTY_10, UNDERTOW_2_2, NETTY_4_1, REACTOR_NETTY_1_0, ARMERIA_1_24, VERTX_4_0, MICRONAUT_4_0);
    /** Helidon's classes are Java 21's. */
    private static final Set<Server> NEWEST = EnumSet.of(
            TOMCAT_11, JETTY_11, JETTY_12, UNDERTOW_2_4, NETTY_4_2, REACTOR_NETTY_1_3, ARMERIA_1_40, VERTX_5, MICRONAUT_4_10, HELIDON_4_0, HELIDON_4_5);
    private static final int FIRST_OF_HELIDON = 21;

    /** For people, with the version. */
    final String title;

    private final String driver;

    /** Null: part of the JDK. */
    private final String library;

    Server(String title, String driver, String library) {
        this.title = title;
        this.driver = "io.weft.driver." + driver;
        this.library = library;
    }

    /** @param instance the body of its answers */
    JvmProcess start(JvmCommand jvm, String instance) {
        JvmCommand command = library == null ? jvm : jvm.classPath(Library.named(library));
        // As Tomcat's own scripts have it: 9.0.27 stops an app by what newer JDKs have closed.
        return (this == TOMCAT_9 ? command.option("--add-opens=java.base/java.io=ALL-UNNAMED") : command).driver(driver, instance);
    }

    boolean isServletContainer() {
        return driver.contains(".jakarta.") || driver.contains(".javax.");
    }

    boolean isHelidon() {
        return driver.endsWith(".HelidonServer");
    }

    private boolean isMicronaut() {
        return driver.endsWith(".MicronautServer");
    }

    private boolean isVertx() {
        return driver.endsWith(".VertxServer");
    }

    private boolean isNettysCodec() {
        return driver.endsWith(".NettyServer");
    }

    private boolean isReactorNetty() {
        return driver.endsWith(".ReactorNettyServer");
    }

    /**
     * Once it has read a request after which the connection is to be closed, it says so with whatever response it is at: with which of two
     * that were asked for at once is chance.
     */
    boolean closesAsItReads() {
        return this == ARMERIA_1_24 || this == ARMERIA_1_40;
    }

    /** The response to a request that upgrades its connection to HTTP/2 goes past what looks at those to others. */
    boolean answersUpgradesUnseen() {
        return isMicronaut() || isVertx() || this == ARMERIA_1_24 || this == ARMERIA_1_40;
    }

    boolean speaksHttp2() {
        return this != JDK_HTTP_SERVER && !isNettysCodec();
    }

    /** Without an upgrade: with Micronaut 4.0 a caller that does so gets no answer. */
    boolean speaksHttp2Unasked() {
        return speaksHttp2() && this != MICRONAUT_4_0;
    }

    /** Of those with WebSockets: Reactor Netty 1.0.0 tries to have the kernel send them, and fails; Tomcat 9.0.27 now and then stops in the middle, for ever. */
    boolean sendsFilesOverHttp2() {
        return this != REACTOR_NETTY_1_0 && this != TOMCAT_9;
    }

    boolean speaksWebSocket() {
        return isServletContainer() || isReactorNetty() || isVertx();
    }

    /** By itself or by the kernel. */
    boolean sendsFiles() {
        return isServletContainer() || isNettysCodec() || isReactorNetty() || isVertx();
    }

    /** A thread that serves a request serves no other, and is known to, so it may end the JVM without holding others up. */
    boolean hasThreadsForRequests() {
        return !isNettysCodec() && !isReactorNetty() && !isVertx() && !isMicronaut();
    }

    /** For people, of the JDKs of CI. */
    String jdks() {
        return OLDEST.contains(this) ? "the oldest" : NEWEST.contains(this) ? "the newest" : "every one";
    }

    /** The oldest version of a library meets the oldest JDK and the newest the newest, where two of both would tell no more. */
    private boolean runsOn(Jdk jdk) {
        List<Jdk> jdks = Jdks.matrix();
        return (this == JDK_HTTP_SERVER || jdks.contains(jdk)) && (!isHelidon() || jdk.feature() >= FIRST_OF_HELIDON)
                && (!OLDEST.contains(this) || jdk.equals(jdks.get(0))) && (!NEWEST.contains(this) || jdk.equals(jdks.get(jdks.size() - 1)));
    }

    static Stream<Server> on(Jdk jdk) {
        return Stream.of(values()).filter(server -> server.runsOn(jdk));
    }

    /**
     * The servers on the JDKs of the matrix; with the system property {@code weft.it.server} those whose name begins so, as in
     * {@code JETTY} or {@code HELIDON,VERTX}.
     */
    static final class Matrix implements ArgumentsProvider {
        @Override
        public Stream<? extends Arguments> provideArguments(ParameterDeclarations parameters, ExtensionContext context) {
            String only = System.getProperty("weft.it.server", "");
            return Jdks.everyRelease().stream().flatMap(jdk -> on(jdk)
                    .filter(server -> Stream.of(only.split(",", -1)).anyMatch(server.name()::startsWith))
                    .map(server -> Arguments.of(jdk, server)));
        }
    }
}
