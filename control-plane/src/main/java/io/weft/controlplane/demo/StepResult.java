package io.weft.controlplane.demo;

import java.util.Map;

/**
 * What was seen of a step. The names are those of the JSON that {@code weft demo --once} ends with.
 *
 * @param observed a share for each version that was expected or answered
 * @param requests that the shares are of: answered while the step was in force
 * @param failed among them and among those on the way when it took effect
 * @param lost what was on its way to a process that was killed, which a mesh does not change
 * @param failures how often each was seen: who asked, the status (0: none) and the error
 * @param effectiveAfterMs from the action to the last sign of what was before; -1: it was not seen in force
 */
record StepResult(
        String name,
        Map<String, Double> expected,
        Map<String, Double> observed,
        int requests,
        int failed,
        int lost,
        Map<String, Integer> failures,
        long effectiveAfterMs,
        boolean ok) {}
