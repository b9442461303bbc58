package io.weft.it.client;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInfo;
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

    @BeforeEach
    void isExpectedOfTheClient(TestInfo test) {
        Takes takes = test.getTestMethod().orElseThrow().getAnnotation(Takes.class);
        if (takes != null) {
            assumeTrue(takes.value().isOf(stage().client), takes.value().reason);
        }
    }

    @AfterEach
    void policiesWereAccepted() {
        stage().refusesNothing();
    }
}
