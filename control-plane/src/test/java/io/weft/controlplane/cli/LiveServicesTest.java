package io.weft.controlplane.cli;

import static org.awaitility.Awaitility.await;

import io.weft.controlplane.ControlPlane;
import io.weft.controlplane.page.PageServer;
import io.weft.controlplane.rollout.FolderRoutes;
import io.weft.controlplane.xds.DeltaClient;
import io.weft.controlplane.xds.Nodes;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LiveServicesTest {

    private static final InetSocketAddress ANYWHERE = new InetSocketAddress("127.0.0.1", 0);

    @TempDir
    private Path folder;

    /** A policy may be for one that has no port, and is not to be warned of. */
    @Test
    void whoOnlyCallsOthersIsThereAndWhomAPolicyNamesIsNot() throws Exception {
        Files.writeString(folder.resolve("route.yaml"), """
                type: MeshHTTPRoute
                name: nobodys
                spec: {to: [{targetRef: {kind: MeshService, name: odrers}, rules: []}]}
                """);
        try (ControlPlane controlPlane = ControlPlane.start(ControlPlane.Settings.of(folder, ANYWHERE));
                PageServer page = PageServer.start(
                        new PageServer.Settings(ANYWHERE, Set.of(), Optional.empty(), token -> false), controlPlane,
                        Optional.of(new FolderRoutes(folder)));
                DeltaClient orders = new DeltaClient(controlPlane.port(), Nodes.agent("orders", "1", 7201, "v1"));
                DeltaClient batch = new DeltaClient(controlPlane.port(), Nodes.client("batch"))) {
            URI uri = URI.create("http://127.0.0.1:" + page.port() + "/");
            await().atMost(Duration.ofSeconds(30)).until(() -> LiveServices.of(uri).services().containsKey("default")
                    && LiveServices.of(uri).services().get("default").keySet().equals(Set.of("batch", "orders")));
        }
    }
}
