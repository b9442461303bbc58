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

    /** A response whose body does not come to an end. */
    final Upstream.Reaction half(Upstream.Then then) {
        return half("HTTP/1.1 200 OK", then);
    }

    final Upstream.Reaction half(String status, Upstream.Then then) {
        return stage().client.takesHalfForWhole()
                ? Upstream.send(then, "half", status, "Content-Length: 8")
                : Upstream.send(then, "4\r\nhalf\r\n", status, "Transfer-Encoding: chunked");
    }

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
