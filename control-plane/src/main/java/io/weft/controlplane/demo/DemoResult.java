package io.weft.controlplane.demo;

import java.util.List;
import java.util.Map;

/**
 * The last line of {@code weft demo --once}.
 *
 * @param failed of all requests, also of those between two steps
 * @param lost with the killed process, and not among those that failed
 * @param failures how often each was seen, of both: who asked, the status (0: none) and the error
 */
record DemoResult(int requests, int failed, int lost, Map<String, Integer> failures, List<StepResult> steps, boolean ok) {

    static DemoResult of(Answers answers, List<StepResult> steps) {
        int lost = steps.stream().mapToInt(StepResult::lost).sum();
        int failed = answers.failed() - lost;
        return new DemoResult(
                answers.size(), failed, lost, answers.failures(), List.copyOf(steps), failed == 0 && steps.stream().allMatch(StepResult::ok));
    }
}
