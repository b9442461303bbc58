package io.weft.it.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.driver.JavaNetHttp;
import io.weft.it.harness.Build;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Testbed;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** JVMs that stand for the pods of the namespace {@code shop}, and control planes on the cluster's API. */
record Shop(Testbed testbed, Cluster cluster, Jdk jdk) {
    private static final Pattern ADDRESS = Pattern.compile("\"address\":\"([^\"]+)\"");
    private static final Pattern PAGE = Pattern.compile("\"page\":\"([^\"]+)\"");

    JvmProcess controlPlane(Path kubeconfig, String listen) {
        return testbed.jvm("control plane", Jdks.newest()).jar(
                Build.controlPlane(), "control-plane", "--listen", listen, "--page", "127.0.0.1:0", "--json",
                "--kubernetes", "--kubeconfig", kubeconfig.toString(), "--namespace", Chart.NAMESPACE);
    }

    /** Of a control plane, once it listens. */
    static URI address(JvmProcess controlPlane) {
        return said(ADDRESS, controlPlane);
    }

    static URI page(JvmProcess controlPlane) {
        return said(PAGE, controlPlane);
    }

    private static URI said(Pattern what, JvmProcess controlPlane) {
        Matcher ready = what.matcher(controlPlane.awaitStdout(line -> line.contains("\"ready\":true")));
        assertThat(ready.find()).isTrue();
        return URI.create(ready.group(1));
    }

    JvmProcess caller(URI controlPlane, String name) throws IOException {
        Path token = cluster.pod(name, "storefront", Map.of("app", "storefront"));
        return testbed.jvm(name, jdk).mesh(controlPlane, "storefront")
                .environment("WEFT_CONTROL_PLANE_TOKEN_FILE", token.toString())
                .environment("WEFT_ADDRESS", cluster.address())
                .driver(JavaNetHttp.class);
    }

    JvmProcess orders(URI controlPlane, String version) throws IOException {
        Path token = cluster.pod("orders-" + version, "orders", Map.of("app", "orders", "version", version));
        return testbed.jvm("orders " + version, jdk).mesh(controlPlane, "orders")
                .environment("WEFT_CONTROL_PLANE_TOKEN_FILE", token.toString())
                .environment("WEFT_ADDRESS", cluster.address())
                .driver("io.weft.driver.JdkHttpServer", version);
    }

    /** @param port that the app has bound */
    String slice(String version, int port, String conditions) {
        return """
                apiVersion: discovery.k8s.io/v1
                kind: EndpointSlice
                metadata: {name: orders-%s, namespace: shop, labels: {kubernetes.io/service-name: orders}}
                addressType: IPv4
                ports: [{name: http, port: %d, protocol: TCP}]
                endpoints:
                - {addresses: [%s], conditions: {%s}, targetRef: {kind: Pod, namespace: shop, name: orders-%s}}
                """.formatted(version, port, cluster.address(), conditions, version);
    }
}
