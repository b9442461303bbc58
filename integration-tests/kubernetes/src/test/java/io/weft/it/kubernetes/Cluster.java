package io.weft.it.kubernetes;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Wire;
import java.nio.file.Path;
import java.util.Map;

/**
 * The API of a cluster in which JVMs of this machine stand for pods of the namespace {@code shop}. That of a real API server, if the
 * system property {@code weft.it.kubeconfig} names one, otherwise the mock server of the client library.
 */
interface Cluster extends AutoCloseable {

    static Cluster open(Testbed testbed) throws Exception {
        Path folder = testbed.temporaryFolder();
        if (GivenCluster.named().isEmpty()) {
            return testbed.closeAfterwards(new SimulatedCluster(folder));
        }
        return testbed.closeAfterwards(new RealApi(testbed.closeAfterwards(new GivenCluster(GivenCluster.named().get())), folder));
    }

    /** With all rights. */
    KubernetesClient client();

    /** For whoever may write policies. */
    Path kubeconfig();

    /** For the control plane, with the rights that the chart gives to it. */
    Path controlPlaneKubeconfig();

    /** Where the pods are: a real API server takes no endpoint on loopback. */
    String address();

    /** A pod that no node runs. Returns where its token is. */
    Path pod(String name, String serviceAccount, Map<String, String> labels);

    /** Creates what is not there and replaces what is. */
    void apply(String yaml);

    void delete(String yaml);

    /** Between a control plane and the API server. */
    Wire wire();
}
