package io.weft.it.client;

import static org.awaitility.Awaitility.await;

import io.weft.driver.HttpAnswer;
import io.weft.it.harness.Generations;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.OpenTelemetry;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Testbed;
import java.time.Duration;
import java.util.Map;

/**
 * One client library on one JDK, twice: as a member of the mesh, and without the agent. Both processes serve all tests of a class,
 * one after the other.
 */
final class Stage implements AutoCloseable {
    final Client client;
    final JvmProcess meshed;
    /** Null beside the OpenTelemetry agent of a test. */
    final JvmProcess plain;
    private final Jdk jdk;
    private final Testbed testbed = new Testbed();
    private final PolicyServer policies = testbed.policyServer();
    private final Generations generations = testbed.closeAfterwards(new Generations());

    Stage(Jdk jdk, Client client) {
        this.jdk = jdk;
        this.client = client;
        push(Policy.empty());
        plain = client.on(testbed.jvm(client + " without", jdk)).driver(client.driver);
        meshed = start(testbed.jvm(client + " in the mesh", jdk));
    }

    /** Only in the mesh, and with the OpenTelemetry agent there. */
    Stage(Jdk jdk, Client client, OpenTelemetry openTelemetry) {
        this.jdk = jdk;
        this.client = client;
        push(Policy.empty());
        plain = null;
        // It starts sooner so.
        meshed = start(testbed.jvm(client + " beside OpenTelemetry " + openTelemetry, jdk).beside(openTelemetry).option("-XX:TieredStopAtLevel=1"));
    }

    private JvmProcess start(JvmCommand jvm) {
        return client.on(jvm)
                // On newer JDKs, java.net.http would keep a connection for half a minute only, which is less than tests wait.
                .option("-Djdk.httpclient.keepalive.timeout=1200").mesh(policies.uri(), "shop").driver(client.driver);
    }

    /** Returns when the client in the mesh obeys the policy, the whole of it. */
    void serve(Policy policy) {
        policies.serve(generations.next(policy));
        await().pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(10)).atMost(Duration.ofSeconds(30))
                .until(() -> generations.isObeyedBy(meshed));
    }

    /** Returns at once. */
    void push(Policy policy) {
        policies.serve(generations.marked(policy));
    }

    int jdk() {
        return jdk.feature();
    }

    /** The client once more, with such an agent: {@link Client#faultyAgent}. */
    JvmProcess faulty(Testbed testbed, String lost) {
        JvmCommand jvm = testbed.jvm(client + " with a faulty agent", jdk).agentIs(client.faultyAgent(testbed.temporaryFolder(), lost));
        return client.on(jvm).mesh(policies.uri(), "shop").driver(client.driver);
    }

    /** A request in the mesh that is expected to be answered. */
    HttpAnswer send(Call call) {
        Map<String, String> answer = meshed.ask(call.form());
        if (!answer.containsKey("status")) {
            throw new AssertionError(call + " failed: " + answer);
        }
        return HttpAnswer.of(answer);
    }

    /** A request in the mesh that is expected to fail. */
    Map<String, String> sendFailing(Call call) {
        Map<String, String> answer = meshed.ask(call.form());
        if (!answer.containsKey("error")) {
            throw new AssertionError(call + " was answered: " + answer);
        }
        return answer;
    }

    void refusesNothing() {
        if (!policies.refusals().isEmpty()) {
            throw new AssertionError("a policy of the test was refused: " + policies.refusals());
        }
    }

    /** The log of the agent, for a failed test. */
    void report() {
        System.err.println(client + " in the mesh: " + String.join("\n", meshed.stderr()));
    }

    @Override
    public void close() throws Exception {
        testbed.close();
    }
}
