package io.weft.it.kubernetes;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.weft.it.harness.Testbed;
import java.nio.file.Path;

/** A cluster that a test may install into. */
interface RealCluster extends AutoCloseable {

    /** The one that is given, else one of this machine's programs, else K3s in a container; the test is skipped where none can be had. */
    static RealCluster any(Testbed testbed) throws Exception {
        if (GivenCluster.named().isEmpty() && StartedNode.isAtHand()) {
            return StartedNode.start(testbed);
        }
        return testbed.closeAfterwards(GivenCluster.named().isPresent() ? new GivenCluster(GivenCluster.named().get()) : K3sCluster.start());
    }

    KubernetesClient client();

    Path kubeconfig();

    /** Makes an image known to the nodes. */
    void load(Path archive) throws Exception;

    /** Whether it goes on after the test, which then has to clean up. */
    default boolean remains() {
        return true;
    }

    @Override
    void close() throws Exception;
}
