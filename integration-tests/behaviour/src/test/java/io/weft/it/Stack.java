package io.weft.it;

import io.weft.it.harness.Build;
import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What services are built with: each is a program of {@code integration-tests/apps} that knows nothing of Weft. */
enum Stack {
    /** Tomcat 9, {@code RestTemplate}. */
    SPRING_BOOT_2("shop-spring-boot-2", "v1", false),
    /** Tomcat 10.1, {@code RestClient}; two programs. */
    SPRING_BOOT_3("storefront", "", true),
    SPRING_BOOT_3_ORDERS("orders-v1", "v1", true),
    /** Tomcat 11, {@code @HttpExchange}. */
    SPRING_BOOT_4("shop-spring-boot-4", "v2", true),
    /** Reactor Netty, {@code WebClient}. */
    WEBFLUX("shop-webflux", "v2", true),
    GRPC("shop-grpc", "v1", true),
    GRPC_CANARY("shop-grpc", "v2", false),
    /** Nobody calls it over the mesh, so its page can be had in plaintext when all others take none. */
    GRPC_STOREFRONT("shop-grpc", "", true),
    /** Vert.x, its REST client. */
    QUARKUS("shop-quarkus", "v1", false) {
        @Override
        JvmProcess start(JvmCommand jvm, Path base) {
            return jvm.jar(Build.app("shop-quarkus").getParent().resolve("quarkus-app").resolve("quarkus-run.jar"));
        }
    },
    /** Netty, {@code @Client}. */
    MICRONAUT("shop-micronaut", "v1", true),
    WAR_IN_TOMCAT("shop-war", "v2", false) {
        @Override
        JvmProcess start(JvmCommand jvm, Path base) throws IOException {
            Path target = Build.app("shop-war").getParent();
            Path home = target.resolve("tomcat");
            Files.createDirectories(base.resolve("conf"));
            Files.createDirectories(base.resolve("webapps"));
            Files.createDirectories(base.resolve("temp"));
            Files.copy(home.resolve("conf").resolve("web.xml"), base.resolve("conf").resolve("web.xml"));
            Files.copy(target.resolve("shop-war-webapp.war"), base.resolve("webapps").resolve("ROOT.war"));
            Files.writeString(base.resolve("conf").resolve("server.xml"), """
                    <Server port="-1">
                      <Service name="Catalina">
                        <Connector port="0" protocol="HTTP/1.1"/>
                        <Engine name="Catalina" defaultHost="localhost"><Host name="localhost" appBase="webapps"/></Engine>
                      </Service>
                    </Server>
                    """);
            return jvm.option("-Dcatalina.home=" + home).option("-Dcatalina.base=" + base).option("-Djava.io.tmpdir=" + base.resolve("temp"))
                    .classPath(home.resolve("bin").resolve("bootstrap.jar")).classPath(home.resolve("bin").resolve("tomcat-juli.jar"))
                    .main("org.apache.catalina.startup.Bootstrap", "start");
        }
    };

    private final String app;
    /** Of the orders that it serves; empty: it serves none. */
    final String version;
    final boolean onTheNewest;

    Stack(String app, String version, boolean onTheNewest) {
        this.app = app;
        this.version = version;
        this.onTheNewest = onTheNewest;
    }

    boolean isGrpc() {
        return this == GRPC || this == GRPC_CANARY || this == GRPC_STOREFRONT;
    }

    boolean calls() {
        return this != SPRING_BOOT_3_ORDERS;
    }

    /** By which name it is called. */
    String service() {
        return (version.isEmpty() ? "storefront" : "orders") + (isGrpc() ? "-grpc" : "");
    }

    /** @param base an empty folder of its own */
    JvmProcess start(JvmCommand jvm, Path base) throws IOException {
        return jvm.jar(Build.app(app));
    }
}
