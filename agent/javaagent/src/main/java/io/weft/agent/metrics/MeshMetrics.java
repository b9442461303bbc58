package io.weft.agent.metrics;

import io.weft.agent.mesh.Mesh.Running;
import io.weft.agent.settings.Settings;
import io.weft.dataplane.metrics.RequestStats;
import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.model.Secret;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** All metrics of this process, collected when somebody asks. Thread-safe. */
public final class MeshMetrics {
    private final Settings settings;
    private final InstantSource time;

    public MeshMetrics(Settings settings, InstantSource time) {
        this.settings = settings;
        this.time = time;
    }

    public List<Metric> of(Running running) {
        PolicySnapshot policy = running.client().snapshot();
        List<RequestStats> requests = running.dataPlane().requestStats();
        List<Metric> metrics = new ArrayList<>(IstioMetrics.of(Workload.of(settings, principal(policy)), requests));
        metrics.addAll(EnvoyMetrics.of(running.dataPlane().stats(), requests));
        metrics.addAll(ProcessMetrics.of(running.client().status(), policy, running.dataPlane().inbound(),
                running.dataPlane().accessStats(), time.instant()));
        return metrics;
    }

    /** As {@link #of}, and requests once more under OpenTelemetry's names. */
    List<Metric> withConventions(Running running) {
        List<Metric> metrics = new ArrayList<>(of(running));
        metrics.addAll(SemanticMetrics.of(running.dataPlane().requestStats()));
        return metrics;
    }

    private static String principal(PolicySnapshot policy) {
        // Where there are several, the first by name, as the control plane is told.
        return policy.secrets().values().stream()
                .filter(secret -> secret.name().startsWith(Secret.OWN_IDENTITY) && secret.content() instanceof Secret.Identity)
                .min(Comparator.comparing(Secret::name))
                .map(secret -> ((Secret.Identity) secret.content()).certificate().uri())
                .orElse("");
    }
}
