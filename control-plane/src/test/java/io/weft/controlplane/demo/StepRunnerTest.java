package io.weft.controlplane.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StepRunnerTest {
    private static final int REQUESTS = 2_000;

    @TempDir
    private Path folder;

    private DemoMesh mesh;

    @BeforeEach
    void meshThatIsNotStarted() throws Exception {
        mesh = new DemoMesh(new DemoFiles(folder, folder));
    }

    @Test
    void sharesWithinThreeStandardErrorsHold() throws Exception {
        StepResult result = run(steady(), () -> answers(REQUESTS, 0.52));

        assertThat(result.ok()).isTrue();
        assertThat(result.observed()).isEqualTo(Map.of("v1", 0.52, "v2", 0.48));
        assertThat(result.requests()).isEqualTo(REQUESTS);
    }

    @Test
    void aShareThatIsOffByChanceComesBackWithMoreRequests() throws Exception {
        StepResult result = run(steady(), () -> {
            answers(REQUESTS, 0.54);
            soon(() -> answers(3 * REQUESTS, 0.5));
        });

        assertThat(result.ok()).isTrue();
        assertThat(result.requests()).isEqualTo(4 * REQUESTS);
    }

    @Test
    void aShareThatIsWrongDoesNot() throws Exception {
        StepResult result = run(steady(), () -> {
            answers(REQUESTS, 0.54);
            soon(() -> answers(3 * REQUESTS, 0.525));
        });

        assertThat(result.ok()).isFalse();
    }

    @Test
    void aVersionThatGetsNothingIsSaidToGetNothing() throws Exception {
        Step step = new Step("100/0", "", Map.of("v1", 1.0, "v2", 0.0), mesh -> {}, new Step.Steady());

        assertThat(run(step, () -> answers(REQUESTS, 1.0)).observed()).isEqualTo(Map.of("v1", 1.0, "v2", 0.0));
    }

    @Test
    void oneFailedRequestIsOneTooMany() throws Exception {
        StepResult result = run(steady(), () -> {
            mesh.answers().add(failed(later()));
            answers(REQUESTS, 0.5);
        });

        assertThat(result.failed()).isEqualTo(1);
        assertThat(result.ok()).isFalse();
    }

    @Test
    void whatWasOnItsWayToAKilledProcessIsExcusedAndNothingElse() throws Exception {
        Step kill = new Step("kill", "", Map.of("v1", 0.5, "v2", 0.5), mesh -> {
            mesh.answers().add(failed(System.currentTimeMillis() - 5));
            answers(REQUESTS, 0.5);
        }, new Step.Gone((mesh, answer) -> false));

        StepResult result = new StepRunner(mesh, REQUESTS).run(kill);

        assertThat(result.failed()).isZero();
        assertThat(result.lost()).isEqualTo(1);
        assertThat(DemoResult.of(mesh.answers(), List.of(result)))
                .returns(0, DemoResult::failed)
                .returns(1, DemoResult::lost)
                .returns(true, DemoResult::ok);
    }

    @Test
    void aRequestThatFailsBetweenTwoStepsIsNamed() throws Exception {
        StepResult result = run(steady(), () -> answers(REQUESTS, 0.5));
        mesh.answers().add(failed(later()));

        assertThat(DemoResult.of(mesh.answers(), List.of(result)))
                .returns(1, DemoResult::failed)
                .returns(Map.of(failed(later()).failure(), 1), DemoResult::failures)
                .returns(false, DemoResult::ok);
    }

    @Test
    void fewAnswersSayNothingAgainstAStep() throws Exception {
        StepResult result = run(new StepRunner(mesh, REQUESTS, 1_000), vanishes("v2"), () -> soon(1_500, () -> answers(REQUESTS, 1.0)));

        assertThat(result.effectiveAfterMs()).isZero();
        assertThat(result.ok()).isTrue();
    }

    @Test
    void aStepThatIsContradictedForLongIsNotInForce() throws Exception {
        StepResult result = run(vanishes("v1"), () -> answers(REQUESTS, 1.0));

        assertThat(result.effectiveAfterMs()).isEqualTo(-1);
        assertThat(result.ok()).isFalse();
    }

    /** It is no time. */
    @Test
    void aStepThatWasNotSeenInForceIsSaidToBeOne() throws Exception {
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        new PlainView(new PrintStream(said, true, StandardCharsets.UTF_8))
                .ended(steady(), new StepResult("50/50", Map.of(), Map.of("v1", 0.5, "v2", 0.5), 2_000, 0, 0, Map.of(), -1, false));

        assertThat(said.toString(StandardCharsets.UTF_8)).contains("0 failed, not seen in force").doesNotContain("-1");
    }

    private static Step vanishes(String version) {
        return new Step("100/0", "", Map.of("v1", 1.0), mesh -> {}, new Step.Vanishes(answer -> version.equals(answer.version())));
    }

    private StepResult run(Step step, Runnable traffic) throws Exception {
        return run(new StepRunner(mesh, REQUESTS), step, traffic);
    }

    private static StepResult run(StepRunner runner, Step step, Runnable traffic) throws Exception {
        Step.Action before = step.action();
        return runner.run(new Step(step.name(), step.title(), step.expected(), mesh -> {
            before.run(mesh);
            traffic.run();
        }, step.inForce()));
    }

    /** Once the step was judged for the first time; if that takes longer than usual, it is judged once and by the same. */
    private static void soon(Runnable traffic) {
        soon(300, traffic);
    }

    private static void soon(long afterMs, Runnable traffic) {
        Thread thread = new Thread(() -> {
            try {
                Thread.sleep(afterMs);
                traffic.run();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    private static Step steady() {
        return new Step("50/50", "", Map.of("v1", 0.5, "v2", 0.5), mesh -> {}, new Step.Steady());
    }

    private void answers(int count, double v1) {
        for (int i = 0; i < count; i++) {
            String version = i < Math.round(v1 * count) ? "v1" : "v2";
            String via = i % 2 == 0 ? "direct" : "storefront";
            mesh.answers().add(new Answer(later(), later() + 1, via, false, 200, version, "1-a", null));
        }
    }

    private static Answer failed(long at) {
        return new Answer(at, at + 1, "direct", false, 0, null, null, "reset");
    }

    /** After whatever moment the step came into force. */
    private static long later() {
        return System.currentTimeMillis() + 60_000;
    }
}
