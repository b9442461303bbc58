package io.weft.benchmarks;

import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import java.util.function.Function;

/**
 * What a {@link Pair} runs.
 *
 * @param url what the client asks for, of the service's name or its address
 */
record Apps(Function<JvmCommand, JvmProcess> client, Function<JvmCommand, JvmProcess> server, Function<String, String> url) {
    /** They do as little as they can. */
    static final Apps LEAN = new Apps(Apps::leanClient, Apps::leanServer, authority -> "http://" + authority + "/orders/1");

    static JvmProcess leanClient(JvmCommand command) {
        return command.module(Settings.workloads()).main("io.weft.benchmarks.workload.LoadClient");
    }

    static JvmProcess leanServer(JvmCommand command) {
        return command.module(Settings.workloads()).main("io.weft.benchmarks.workload.TomcatServer", Pair.SERVICE);
    }
}
