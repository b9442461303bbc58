package io.weft.controlplane.demo;

import java.util.List;
import java.util.Map;

/** The steps of the demo, in order. */
final class Scenario {
    private Scenario() {}

    static List<Step> steps() {
        return List.of(
                new Step(
                        "100/0",
                        "Everything to v1",
                        shares(1, 0),
                        mesh -> mesh.policy().weights(100, 0),
                        new Step.Vanishes(answer -> "v2".equals(answer.version()))),
                new Step(
                        "90/10",
                        "10 % to the canary",
                        shares(0.9, 0.1),
                        mesh -> mesh.policy().weights(90, 10),
                        new Step.Appears(answer -> "v2".equals(answer.version()))),
                new Step(
                        "header",
                        "Only x-canary: yes goes to v2",
                        shares(0.5, 0.5),
                        mesh -> mesh.policy().canaryByHeader(),
                        new Step.Vanishes(Scenario::againstHeader)),
                new Step(
                        "50/50",
                        "Half and half",
                        shares(0.5, 0.5),
                        mesh -> mesh.policy().weights(50, 50),
                        new Step.Appears(Scenario::againstHeader)),
                new Step(
                        "kill",
                        "kill -9 of one v1",
                        shares(0.5, 0.5),
                        DemoMesh::killOneV1,
                        new Step.Gone((mesh, answer) -> answer.instance() != null && mesh.killed(answer.pid()))),
                new Step(
                        "control-plane-down",
                        "The control plane stops",
                        shares(0.5, 0.5),
                        DemoMesh::stopControlPlane,
                        new Step.Steady()),
                new Step(
                        "control-plane-up",
                        "The control plane starts again",
                        shares(0.5, 0.5),
                        DemoMesh::startControlPlane,
                        new Step.Steady()),
                new Step(
                        "strict-mtls",
                        "Mutual TLS; curl is refused",
                        shares(0.5, 0.5),
                        DemoMesh::turnOnMutualTls,
                        new Step.Seen(mesh -> mesh.instances().refusePlaintext())),
                new Step(
                        "0/100",
                        "Everything to v2",
                        shares(0, 1),
                        mesh -> mesh.policy().weights(0, 100),
                        new Step.Vanishes(answer -> "v1".equals(answer.version()))),
                new Step(
                        "permission",
                        "Only storefront calls orders",
                        shares(0, 1),
                        mesh -> mesh.meshPolicies().ordersForStorefront(),
                        new Step.Vanishes(answer -> answer.via().equals("direct") && !answer.denied()),
                        answer -> answer.via().equals("direct") && answer.denied()));
    }

    private static boolean againstHeader(Answer answer) {
        return answer.version() != null && answer.canary() != "v2".equals(answer.version());
    }

    private static Map<String, Double> shares(double v1, double v2) {
        return Map.of("v1", v1, "v2", v2);
    }
}
