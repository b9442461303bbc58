package io.weft.benchmarks;

import io.weft.it.harness.Build;
import io.weft.it.harness.Jdk;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * @param jdk for what is measured on one JDK
 * @param quick too few repetitions for a figure worth quoting: shows that the benchmark itself works
 * @param requests how many a soak has; empty: as many as it is by itself
 * @param lasting how long a soak of agents lasts; empty: until its requests are sent
 * @param rounds how often two sides are compared, each time in fresh JVMs; empty: as often as the benchmark does by itself
 * @param library name of the one that is measured, of {@link MeasuredLibrary}, or else the beginning of the names of those that are
 * @param recordings folder for a recording of each JVM of a {@link Pair}; empty: none is made
 * @param agents how many streams a control plane is measured with; empty: as many as it is by itself
 */
record Settings(Jdk jdk, boolean quick, Optional<Long> requests, Optional<Duration> lasting, Optional<Integer> rounds, String library, Optional<Path> recordings, Optional<Integer> agents) {

    Settings recordingTo(Path folder) {
        return new Settings(jdk, quick, requests, lasting, rounds, library, Optional.of(folder), agents);
    }

    /** How often something is done. */
    int times(int normally, int whenQuick) {
        return quick ? whenQuick : normally;
    }

    int rounds(int normally, int whenQuick) {
        return rounds.orElse(times(normally, whenQuick));
    }

    boolean concerns(MeasuredLibrary one) {
        boolean meant = MeasuredLibrary.ids().contains(library) ? one.id().equals(library) : one.id().startsWith(library);
        return meant && one.runsOn(jdk.feature());
    }

    long requests(long normally, long whenQuick) {
        return requests.orElse(quick ? whenQuick : normally);
    }

    static Path openTelemetryAgent() {
        return Build.present("weft.benchmarks.artifacts", "integration-tests/benchmarks/runner").resolve("opentelemetry-javaagent.jar");
    }

    /** Build folder of the programs that are measured under the agent. */
    static Path workloads() {
        return Build.present("weft.benchmarks.workloads", "integration-tests/benchmarks/workloads");
    }

    /** Build folder of a client and a server of gRPC. */
    static Path grpc() {
        return Build.present("weft.benchmarks.grpc", "integration-tests/benchmarks/grpc");
    }

    /** Build folder of a big cluster and of many agents' streams. */
    static Path scale() {
        return Build.present("weft.benchmarks.scale", "integration-tests/benchmarks/scale");
    }

    /** Build folder of what is measured inside the data plane. */
    static Path decisions() {
        return Build.present("weft.benchmarks.decisions", "integration-tests/benchmarks/decisions");
    }
}
