package io.weft.it.client;

import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What one test of a client library needs beside the stage: upstreams of its own. */
abstract class Expectations {
    @RegisterExtension
    final Testbed testbed = new Testbed();

    @RegisterExtension
    final AfterTestExecutionCallback report = context -> {
        if (context.getExecutionException().isPresent()) {
            stage().report();
        }
    };

    final Upstream a = testbed.upstream("a");
    final Upstream b = testbed.upstream("b");

    abstract Stage stage();

    @AfterEach
    void policiesWereAccepted() {
        stage().refusesNothing();
    }
}
